/** Credentials that have been in use for long, oldest first, and what is to be done. */
export function oldCredentialsText(
  due: readonly { readonly name: string; readonly ageDays: number }[],
): string {
  const lines = due
    .toSorted((one, other) => other.ageDays - one.ageDays)
    .map(({ name, ageDays }) => `• ${name}: ${ageDays} days`);
  return [
    "🔑 These have been in use for long. Make new ones, put them in their place, start me anew, and only then revoke the old ones:",
    lines.join("\n"),
    "At the machine `sallyport credentials --scan` shows whether one has leaked. I say this again in 30 days.",
  ].join("\n\n");
}
