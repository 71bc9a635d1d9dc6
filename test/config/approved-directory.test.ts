import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isWithin, placesOf, realPathOf } from "../../src/config/places.ts";
import { BOT_TOKEN, createWorld } from "./support.ts";

const refused = (told: string) => [
  expect.anything(),
  expect.stringMatching(new RegExp(`^  APPROVED_DIRECTORY: expected .*${told}`)),
];

describe("H33: the approved directory holds nothing that the daemon lives by", () => {
  test.each(["/", "/home", "/Users", "/opt", "/etc", "/var", "/usr", "/System"])("%s is refused", (path) => {
    const world = createWorld();
    const lines = world.faults({ APPROVED_DIRECTORY: path });
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/a folder of projects, not |does not exist/);
  });

  test("a place beside those is taken, and taken by its real name", () => {
    const world = createWorld();
    symlinkSync(world.at("projects"), world.at("link"));
    for (const path of ["projects", "projects/", "./projects/../projects", "link"])
      expect(world.load({ APPROVED_DIRECTORY: `${world.at("")}/${path}` }).config.approvedDirectory).toBe(
        world.at("projects"),
      );
    mkdirSync(world.at("home/code"));
    expect(world.load({ APPROVED_DIRECTORY: "~/code" }).config.approvedDirectory).toBe(world.at("home/code"));
  });

  test("a link to a refused place is refused", () => {
    const world = createWorld();
    symlinkSync("/etc", world.at("etc"));
    symlinkSync(world.at("home"), world.at("h"));
    expect(world.faults({ APPROVED_DIRECTORY: world.at("etc") })).toEqual(
      refused("not /etc or what holds it"),
    );
    expect(world.faults({ APPROVED_DIRECTORY: world.at("h") })).toEqual(refused("not a home directory"));
  });

  test("a home, what holds one, ~/Library, ~/.ssh, ~/.claude and what lies in the last two are refused", () => {
    const world = createWorld();
    for (const folder of ["home/Library", "home/.ssh/x", "home/.claude/projects"]) {
      mkdirSync(world.at(folder), { recursive: true });
    }
    expect(world.faults({ APPROVED_DIRECTORY: "~" })).toEqual(refused("not a home directory itself"));
    expect(world.faults({ APPROVED_DIRECTORY: world.at("") })).toEqual(
      refused("not a home directory itself"),
    );
    expect(world.faults({ APPROVED_DIRECTORY: "~/Library" })).toEqual(refused("Library"));
    expect(world.faults({ APPROVED_DIRECTORY: "~/.ssh" })).toEqual(refused("~/.ssh"));
    expect(world.faults({ APPROVED_DIRECTORY: "~/.ssh/x" })).toEqual(refused("~/.ssh"));
    expect(world.faults({ APPROVED_DIRECTORY: "~/.claude/projects" })).toEqual(refused("~/.claude"));
  });

  test("a file, and what does not exist, are refused", () => {
    const world = createWorld();
    expect(world.faults({ APPROVED_DIRECTORY: world.write("a-file", "") })).toEqual(
      refused("a directory, got .*which is none"),
    );
    expect(world.faults({ APPROVED_DIRECTORY: world.at("none") })).toEqual(
      refused("a directory that exists"),
    );
  });

  test("SALLYPORT_HOME inside, around or at it is refused, also before it exists", () => {
    const world = createWorld();
    mkdirSync(world.at("home/.sallyport/inside"), { recursive: true });
    expect(world.faults({ SALLYPORT_HOME: world.at("projects/new/home") })).toEqual(
      refused("SALLYPORT_HOME"),
    );
    expect(world.faults({ SALLYPORT_HOME: world.at("projects") })).toEqual(refused("SALLYPORT_HOME"));
    expect(world.faults({ APPROVED_DIRECTORY: "~/.sallyport/inside" })).toEqual(refused("SALLYPORT_HOME"));
    symlinkSync(world.at("projects"), world.at("detour"));
    expect(world.faults({ SALLYPORT_HOME: world.at("detour/home") })).toEqual(refused("SALLYPORT_HOME"));
  });

  test("the settings file, a secret's file, the Node binary and the CLI inside it are refused", () => {
    const world = createWorld();
    const envFile = world.write("projects/.env", "");
    const node = world.write("projects/bin/node", "", 0o755);
    const cli = world.write("projects/bin/claude", "", 0o755);
    const token = world.write("projects/token", BOT_TOKEN);
    expect(world.faults({}, { argv: { envFile } })).toEqual(refused("the settings file"));
    expect(world.faults({}, { nodePath: node })).toEqual(refused("the Node binary"));
    expect(world.faults({ CLAUDE_CLI_PATH: cli })).toEqual(refused("the Claude CLI"));
    expect(world.faults({ PATH: world.at("projects/bin") })).toEqual(refused("the Claude CLI"));
    expect(world.faults({ TELEGRAM_BOT_TOKEN: "", TELEGRAM_BOT_TOKEN_FILE: token })).toEqual(
      refused("holds a secret"),
    );
  });

  test("a link inside it that leads to such a file outside is refused, wherever in the chain it lies", () => {
    const world = createWorld();
    const real = world.write("real/claude", "", 0o755);
    mkdirSync(world.at("bin"));
    symlinkSync(real, world.at("projects/hop"));
    symlinkSync(world.at("projects/hop"), world.at("bin/claude"));
    symlinkSync(world.at("real"), world.at("projects/folder"));
    expect(world.faults({ PATH: world.at("bin") })).toEqual(refused("the Claude CLI"));
    expect(world.faults({ CLAUDE_CLI_PATH: world.at("projects/folder/claude") })).toEqual(
      refused("the Claude CLI"),
    );
    expect(world.load({ CLAUDE_CLI_PATH: real }).config.claude.cliPath).toBe(real);
  });

  test("a link outside it that leads into it is refused", () => {
    const world = createWorld();
    world.write("projects/.env", "");
    symlinkSync(world.at("projects/.env"), world.at("my.env"));
    symlinkSync(world.at("projects"), world.at("home/.claude"));
    expect(world.faults({}, { argv: { envFile: world.at("my.env") } }).join("\n")).toContain(
      "the settings file in use",
    );
    expect(world.faults()).toEqual(refused("~/.claude"));
  });

  test("the program inside it is refused in production and told about in development", () => {
    const world = createWorld();
    const programDir = world.at("projects/sallyport");
    const nodePath = world.write("projects/sallyport/node_modules/node/bin/node", "", 0o755);
    world.write("projects/sallyport/.env", "ENVIRONMENT=development\n");
    const place = { programDir, nodePath, cwd: programDir };
    const { config, warnings } = world.load({}, place);
    expect(config.approvedDirectory).toBe(world.at("projects"));
    expect(warnings).toEqual([expect.stringContaining("left out of /repo")]);
    const lines = world.faults({ ENVIRONMENT: "production" }, place).join("\n");
    for (const what of ["the program's own folder", "the settings file", "the Node binary"])
      expect(lines).toContain(what);
  });

  test("in development too it neither is nor lies in the program's folder, nor holds another protected place", () => {
    const world = createWorld();
    const env = { ENVIRONMENT: "development" };
    mkdirSync(world.at("program/sub"));
    for (const folder of ["program", "program/sub"])
      expect(world.faults({ ...env, APPROVED_DIRECTORY: world.at(folder) })).toEqual(
        refused("the program's own folder"),
      );
    const rest = { programDir: world.at("projects/sallyport") };
    mkdirSync(rest.programDir);
    expect(world.faults({ ...env, SALLYPORT_HOME: world.at("projects/home") }, rest)).toEqual(
      refused("SALLYPORT_HOME"),
    );
  });

  test("a name that only begins like a protected one is no overlap", () => {
    const world = createWorld();
    for (const folder of ["program-projects", "home/.sshx", "..projects"]) mkdirSync(world.at(folder));
    for (const folder of ["program-projects", "home/.sshx", "..projects"])
      expect(world.load({ APPROVED_DIRECTORY: world.at(folder) }).config.approvedDirectory).toBe(
        world.at(folder),
      );
  });
});

test("a folder that everybody may write is refused in production and warned about in development", () => {
  const world = createWorld();
  chmodSync(world.at("projects"), 0o1777);
  expect(world.faults()).toEqual(refused("not everybody may write"));
  expect(world.load({ ENVIRONMENT: "development" }).warnings).toEqual([expect.stringContaining("chmod o-w")]);
  chmodSync(world.at("projects"), 0o775);
  expect(world.load().warnings).toEqual([]);
});

describe("places", () => {
  test("a loop of links ends, and is no usable path", () => {
    const world = createWorld();
    symlinkSync(world.at("b"), world.at("a"));
    symlinkSync(world.at("a"), world.at("b"));
    expect(placesOf(world.at("a")).length).toBeLessThan(100);
    expect(world.faults({ APPROVED_DIRECTORY: world.at("a") })).toHaveLength(2);
  });

  test("lying within is reflexive, follows every folder of a path, and never holds upwards", () => {
    const name = fc.stringMatching(/^[a-z.]{1,4}$/).filter((text) => text !== "." && text !== "..");
    const path = fc.array(name, { maxLength: 4 }).map((names) => join("/nonexistent", ...names));
    fc.assert(
      fc.property(path, name, (parent, child) => {
        expect(isWithin(parent, parent)).toBe(true);
        expect(isWithin(join(parent, child), parent)).toBe(true);
        expect(isWithin(parent, join(parent, child))).toBe(false);
        expect(isWithin(`${parent}x`, parent)).toBe(false);
      }),
    );
  });

  test("one folder under two names is one folder", () => {
    const world = createWorld();
    mkdirSync(world.at("projects/in"));
    symlinkSync(world.at("projects"), world.at("alias"));
    expect(isWithin(world.at("alias/in"), world.at("projects"))).toBe(true);
    expect(isWithin(world.at("elsewhere"), world.at("alias"))).toBe(false);
  });

  test("a path that does not exist yet is real as far as it goes", () => {
    const world = createWorld();
    symlinkSync(world.at("projects"), world.at("alias"));
    expect(realPathOf(world.at("alias/new/deep"))).toBe(world.at("projects/new/deep"));
  });
});
