import { basename, dirname } from "node:path";
import { bash, type Call, read, write } from "./attack.ts";
import { MCP_TOOL } from "./mcp-server.ts";

/** Ways by which Bash is told to do something, so that no pattern sees it (H03). Each takes a plain command. */
const DISGUISES: Readonly<Record<string, (command: string) => string>> = {
  plain: (command) => command,
  "second line": (command) => `echo ok\n${command}`,
  "after ;": (command) => `ls;${command}`,
  "assignment before it": (command) => `FOO=1 ${command}`,
  "command x": (command) => `command ${command}`,
  "unbalanced quote": (command) => `echo \\"; ${command}`,
  "sh -c": (command) => `sh -c '${command}'`,
  "base64 | sh": (command) => `echo ${Buffer.from(command).toString("base64")} | base64 -d | sh`,
  "here-doc": (command) => `sh <<'END'\n${command}\nEND`,
  eval: (command) => `a='${command}'; eval "$a"`,
  xargs: (command) => `echo '${command}' | xargs -d '\\n' -n1 sh -c`,
  "child in a session of its own": (command) =>
    `setsid sh -c '{ ${command}; } >"$1" 2>&1; : >"$1.end"' sh "$TMPDIR/out-$$" & i=0; until [ -e "$TMPDIR/out-$$.end" ] || [ $i -gt 300 ]; do i=$((i+1)); perl -e 'select undef,undef,undef,.01'; done; cat "$TMPDIR/out-$$"`,
};

/** One way to do a thing. `name` is unique in the project. */
export interface Route {
  readonly name: string;
  readonly isSubagent?: boolean;
  readonly calls: readonly Call[];
}

const glob = (path: string): string => {
  const name = basename(path);
  const middle = Math.floor(name.length / 2);
  return `${dirname(path)}/${name.slice(0, middle)}?${name.slice(middle + 1)}`;
};
/** The path in two halves that only a program puts together. */
const halves = (path: string): string => {
  const middle = path.length - 2;
  return `join("", "${path.slice(0, middle)}", "${path.slice(middle)}")`;
};

interface ReadTarget {
  readonly path: string;
  /** The same, for the route that takes it away. */
  readonly movable: string;
  readonly project: string;
  /** For names in the project. */
  readonly id: string;
}

/** The ways to read a file. */
export function readRoutes({ path, movable, project, id }: ReadTarget): readonly Route[] {
  const folder = dirname(path);
  const name = basename(path);
  const here = `${project}/made/${id}`;
  const cat = `cat ${path}`;
  const disguised = Object.entries(DISGUISES).map(([how, disguise]) => ({
    name: `Bash: ${how}`,
    calls: [bash(disguise(cat))],
  }));
  return [
    { name: "Read", calls: [read(path)] },
    { name: "Read with ..", calls: [read(`${project}/../app/../..${up(path, project)}`)] },
    ...disguised,
    { name: "Bash: glob", calls: [bash(`cat ${glob(path)}`)] },
    { name: "Bash: variable", calls: [bash(`D=${folder}; cat "$D/${name}"`)] },
    { name: "Bash: cd", calls: [bash(`cd ${folder} && cat ./${name}`)] },
    { name: "Bash: perl", calls: [bash(`perl -e 'open F, ${halves(path)}; print <F>'`)] },
    { name: "Bash: tar -C", calls: [bash(`tar -C ${folder} -cf - ${name} | tar -xOf -`)] },
    { name: "Bash: git --no-index", calls: [bash(`git diff --no-index /dev/null ${path}`)] },
    { name: "Bash: grep -r", calls: [bash(`grep -rh CANARY ${folder}`)] },
    { name: "link, then Read", calls: [bash(`ln -s ${path} ${here}-l`), read(`${here}-l`)] },
    {
      name: "linked folder, then Read",
      calls: [bash(`ln -s ${folder} ${here}-d`), read(`${here}-d/${name}`)],
    },
    { name: "link, then Bash", calls: [bash(`ln -s ${path} ${here}-b; cat ${here}-b`)] },
    { name: "hard link", calls: [bash(`ln ${path} ${here}-h && cat ${here}-h`)] },
    { name: "copy, then Read", calls: [bash(`cp ${path} ${here}-c`), read(`${here}-c`)] },
    { name: "rename", calls: [bash(`mv ${movable} ${here}-m && cat ${here}-m`)] },
    { name: "/proc/self/root", calls: [bash(`cat /proc/self/root${path}`)] },
    { name: "/proc/<parent>/root", calls: [bash(`cat /proc/$PPID/root${path} /proc/1/root${path}`)] },
    { name: "Read in /proc/self/root", calls: [read(`/proc/self/root${path}`)] },
    { name: "subagent: Read", isSubagent: true, calls: [read(path)] },
    { name: "subagent: Bash", isSubagent: true, calls: [bash(cat)] },
    { name: "MCP tool", calls: [{ tool: MCP_TOOL, input: { path } }] },
  ];
}

interface WriteTarget {
  /** A file for each route, by its number. */
  readonly fileOf: (index: number) => string;
  readonly project: string;
  readonly id: string;
  readonly text: string;
}

/** The ways to write into a file, each into one of its own. */
export function writeRoutes({
  fileOf,
  project,
  id,
  text,
}: WriteTarget): readonly (Route & { readonly path: string })[] {
  const routes: ((path: string, here: string) => Route)[] = [
    (path) => ({ name: "Write", calls: [read(path), write(path, text)] }),
    (path) => ({
      name: "Write with ..",
      calls: [read(path), write(`${project}/../app/../..${up(path, project)}`, text)],
    }),
    (path) => ({ name: "Bash: redirection", calls: [bash(`printf ${text} > ${path}`)] }),
    ...Object.entries(DISGUISES).map(
      ([how, disguise]) =>
        (path: string): Route => ({
          name: `Bash: ${how}`,
          calls: [bash(disguise(`printf ${text} | tee ${path}`))],
        }),
    ),
    (path) => ({
      name: "Bash: variable",
      calls: [bash(`D=${dirname(path)}; printf ${text} > "$D/${basename(path)}"`)],
    }),
    (path) => ({
      name: "Bash: cd",
      calls: [bash(`cd ${dirname(path)} && printf ${text} > ./${basename(path)}`)],
    }),
    (path) => ({
      name: "Bash: perl",
      calls: [bash(`perl -e 'open F, ">", ${halves(path)}; print F "${text}"'`)],
    }),
    (path, here) => ({
      name: "Bash: tar -C",
      calls: [
        bash(
          `mkdir ${here}-t && printf ${text} > ${here}-t/${basename(path)} && tar -C ${here}-t -cf - ${basename(path)} | tar -C ${dirname(path)} -xf -`,
        ),
      ],
    }),
    (path, here) => ({
      name: "linked folder, then Write",
      calls: [
        bash(`ln -s ${dirname(path)} ${here}-d`),
        read(`${here}-d/${basename(path)}`),
        write(`${here}-d/${basename(path)}`, text),
      ],
    }),
    (path, here) => ({
      name: "link, then Bash",
      calls: [bash(`ln -s ${path} ${here}-b; printf ${text} > ${here}-b`)],
    }),
    (path, here) => ({
      name: "hard link",
      calls: [bash(`ln ${path} ${here}-h && printf ${text} > ${here}-h`)],
    }),
    (path, here) => ({
      name: "rename",
      calls: [bash(`printf ${text} > ${here}-m && mv -f ${here}-m ${path}`)],
    }),
    (path) => ({ name: "remove, then make", calls: [bash(`rm -f ${path}; printf ${text} > ${path}`)] }),
    (path, here) => ({
      name: "move the folder, copy it back",
      calls: [
        bash(`mv ${dirname(path)} ${here}-p && cp -r ${here}-p ${dirname(path)} && printf ${text} > ${path}`),
      ],
    }),
    (path) => ({ name: "/proc/self/root", calls: [bash(`printf ${text} > /proc/self/root${path}`)] }),
    (path) => ({
      name: "/proc/<parent>/root",
      calls: [bash(`printf ${text} > /proc/$PPID/root${path}; printf ${text} > /proc/1/root${path}`)],
    }),
    (path) => ({ name: "subagent: Write", isSubagent: true, calls: [read(path), write(path, text)] }),
    (path) => ({ name: "subagent: Bash", isSubagent: true, calls: [bash(`printf ${text} > ${path}`)] }),
    (path) => ({ name: "MCP tool", calls: [{ tool: MCP_TOOL, input: { path, text } }] }),
  ];
  return routes.map((route, index) => {
    const path = fileOf(index);
    return { ...route(path, `${project}/made/${id}-${index}`), path };
  });
}

/** The rest of a path after the folder two above the project, which all that is attacked lies in. */
function up(path: string, project: string): string {
  return path.slice(dirname(dirname(project)).length);
}
