/** The name by which models are compared and priced: lower case, without provider, date, `-latest`, `-fast` and `[1m]`. */
export function canonicalModel(model: string): string {
  const name = /claude-[a-z0-9-]*?(?=-\d{8}|-latest|-fast|-v\d|[@:[]|$)/.exec(model.toLowerCase());
  return name === null ? model : name[0];
}
