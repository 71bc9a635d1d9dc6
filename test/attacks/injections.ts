/** In each value, so that it is known wherever it turns up. */
export const MARK = "injected-by-the-starter";

/** A variable that the daemon is started with. `control` shows what it does to a program that is handed it. */
export interface Injection {
  readonly name: string;
  /** `folder` holds the files that values name. */
  readonly value: (folder: string) => string;
  /** A command that leaves `$CANARY` behind, or prints the value, when the variable takes effect. */
  readonly control?: readonly string[];
}

const named = (name: string): Injection => ({ name, value: () => `/nonexistent/${MARK}` });
const GIT = ["git", "-C"] as const;

export const INJECTIONS: readonly Injection[] = [
  {
    name: "NODE_OPTIONS",
    value: (folder) => `--require=${folder}/${MARK}.cjs`,
    control: [process.execPath, "-e", "0"],
  },
  { name: "BASH_ENV", value: (folder) => `${folder}/${MARK}.sh`, control: ["bash", "-c", "true"] },
  { name: "ENV", value: (folder) => `${folder}/${MARK}.sh`, control: ["dash", "-i", "-c", "true"] },
  {
    name: "BASH_FUNC_true%%",
    value: (folder) => `() { . ${folder}/${MARK}.sh\n}`,
    control: ["bash", "-c", "true"],
  },
  {
    name: "PERL5OPT",
    value: (folder) => `-I${folder} -MInjected_${MARK.replaceAll("-", "_")}`,
    control: ["perl", "-e", "0"],
  },
  {
    name: "GIT_EXTERNAL_DIFF",
    value: (folder) => `sh ${folder}/${MARK}.sh`,
    control: [...GIT, "REPOSITORY", "diff"],
  },
  {
    name: "GIT_CONFIG_PARAMETERS",
    value: (folder) => `'core.fsmonitor'='sh ${folder}/${MARK}.sh'`,
    control: [...GIT, "REPOSITORY", "status"],
  },
  {
    name: "GIT_CONFIG_GLOBAL",
    value: (folder) => `${folder}/${MARK}.gitconfig`,
    control: [...GIT, "REPOSITORY", "status"],
  },
  {
    name: "GIT_CONFIG_SYSTEM",
    value: (folder) => `${folder}/${MARK}.gitconfig`,
    control: [...GIT, "REPOSITORY", "status"],
  },
  {
    name: "GIT_SSH_COMMAND",
    value: (folder) => `sh ${folder}/${MARK}.sh`,
    control: ["git", "ls-remote", "ssh://nowhere.invalid/x"],
  },
  {
    name: "GIT_ASKPASS",
    value: (folder) => `${folder}/${MARK}.sh`,
    control: ["sh", "-c", "echo url=https://nowhere.invalid | git credential fill"],
  },
  {
    name: "GIT_PROXY_COMMAND",
    value: (folder) => `${folder}/${MARK}.sh`,
    control: ["git", "ls-remote", "git://nowhere.invalid/x"],
  },
  { name: "LD_PRELOAD", value: () => `/nonexistent/${MARK}.so`, control: ["/bin/true"] },
  { name: "LD_AUDIT", value: () => `/nonexistent/${MARK}.so`, control: ["/bin/true"] },
  ...[
    "LD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
    "DYLD_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_EXEC_PATH",
    "GIT_TEMPLATE_DIR",
    "GIT_EDITOR",
    "GIT_PAGER",
    "PAGER",
    "PROMPT_COMMAND",
    "CDPATH",
    "PYTHONSTARTUP",
    "PYTHONPATH",
    "PYTHONHOME",
    "PERL5LIB",
    "RUBYOPT",
    "RUBYLIB",
    "JAVA_TOOL_OPTIONS",
    "NODE_PATH",
    "NPM_CONFIG_SCRIPT_SHELL",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_ENV_FILE",
    "CLAUDE_CODE_SHELL_PREFIX",
    "CLAUDE_CODE_GIT_BASH_PATH",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_SIMPLE",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_UNIX_SOCKET",
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "SHELLOPTS_OF_THE_STARTER",
    "EDITOR",
    "SHELL",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
  ].map(named),
  { name: "IFS", value: () => MARK },
];
