import { chmodSync, lchownSync, mkdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { exposuresOfFile } from "../../src/config/private-path.ts";
import { BOT_TOKEN, createWorld } from "./support.ts";

const DEVELOPMENT = { ENVIRONMENT: "development" };
const STRANGER = 4321;

/** A settings file and a secret's file, each with what makes loading use it. */
const FILES = [
  {
    key: "settings file",
    env: {},
    make: (world: ReturnType<typeof createWorld>) => world.write("etc/my.env", "MAX_PROMPT_CHARS=7\n"),
    use: (path: string) => [{}, { argv: { envFile: path } }] as const,
  },
  {
    key: "TELEGRAM_BOT_TOKEN_FILE",
    env: {},
    make: (world: ReturnType<typeof createWorld>) => world.write("etc/token", `${BOT_TOKEN}\n`),
    use: (path: string) =>
      [{ TELEGRAM_BOT_TOKEN: undefined, TELEGRAM_BOT_TOKEN_FILE: path }, { argv: {} }] as const,
  },
];

describe.each(FILES)("the $key is its owner's alone", ({ key, make, use }) => {
  function createCase() {
    const world = createWorld();
    const path = make(world);
    const [env, rest] = use(path);
    return {
      world,
      path,
      faults: (more: Record<string, string> = {}, surroundings = {}) =>
        world.faults({ ...env, ...more }, { ...rest, ...surroundings }).slice(1),
      warnings: (more: Record<string, string> = {}) => world.load({ ...env, ...more }, rest).warnings,
    };
  }

  test.each([0o600, 0o400])("mode %o is taken", (mode) => {
    const { path, faults, warnings } = createCase();
    chmodSync(path, mode);
    expect(faults()).toEqual([]);
    expect(warnings()).toEqual([]);
  });

  test.each([0o640, 0o604, 0o644, 0o601])(
    "mode %o is refused in production with the mend, a warning in development",
    (mode) => {
      const { path, faults, warnings } = createCase();
      chmodSync(path, mode);
      expect(faults()).toEqual([
        `  ${key}: expected what is its owner's alone (chmod 600 ${path}), got ${path}, which others than its owner can read`,
      ]);
      expect(warnings(DEVELOPMENT)).toEqual([
        `${path}, which others than its owner can read: chmod 600 ${path}`,
      ]);
    },
  );

  test.each([0o620, 0o602, 0o646, 0o666])(
    "mode %o, in which others write, is refused in development too, and not read",
    (mode) => {
      const { path, faults } = createCase();
      chmodSync(path, mode);
      for (const env of [{}, DEVELOPMENT])
        expect(faults(env)).toEqual([expect.stringContaining("may write")]);
    },
  );

  test("a file of another user is refused; what root gives out is taken", () => {
    const { path, faults } = createCase();
    const userId = STRANGER; // then all is another's, unless it is root's
    if (process.getuid?.() === 0) {
      expect(faults({}, { userId })).toEqual([]);
      lchownSync(path, STRANGER, STRANGER);
      expect(faults(DEVELOPMENT)).toEqual([
        expect.stringMatching(`got ${path}, which belongs to user ${STRANGER}$`),
      ]);
    } else {
      expect(faults(DEVELOPMENT, { userId }).join()).toContain(`${path}, which belongs to user`);
    }
  });

  test("a folder above it in which others may rename is refused, a sticky one such as /tmp is not", () => {
    const { world, faults, warnings } = createCase();
    chmodSync(world.at("etc"), 0o757);
    for (const env of [{}, DEVELOPMENT])
      expect(faults(env)).toEqual([
        `  ${key}: expected what is its owner's alone (chmod go-w ${world.at("etc")}), got ${world.at("etc")} above it, in which others may rename and replace things`,
      ]);
    chmodSync(world.at("etc"), 0o1777);
    expect(faults()).toEqual([]);
    expect(warnings()).toEqual([]);
  });

  test("of a link the folders on the way count, and so does where it leads", () => {
    const { world, path } = createCase();
    mkdirSync(world.at("links"));
    symlinkSync(path, world.at("links/to-it"));
    const [env, rest] = use(world.at("links/to-it"));
    const faults = () => world.faults(env, rest).slice(1);
    expect(faults()).toEqual([]);
    chmodSync(world.at("links"), 0o777);
    expect(faults()).toEqual([expect.stringContaining(`${world.at("links")} above it`)]);
    chmodSync(world.at("links"), 0o755);
    chmodSync(world.at("etc"), 0o777);
    expect(faults()).toEqual([expect.stringContaining(`${world.at("etc")} above it`)]);
    chmodSync(world.at("etc"), 0o755);
    chmodSync(path, 0o644);
    expect(faults()).toEqual([expect.stringContaining("can read")]);
    chmodSync(path, 0o600);
    expect(faults()).toEqual([]);
  });
});

describe("SALLYPORT_HOME is its owner's alone", () => {
  test("others may not put things in there; that they can look is mended by the start itself", () => {
    const world = createWorld();
    mkdirSync(world.at("own"));
    const env = { SALLYPORT_HOME: world.at("own") };
    for (const mode of [0o700, 0o755]) {
      chmodSync(world.at("own"), mode);
      expect(world.load(env).warnings).toEqual([]);
    }
    for (const mode of [0o770, 0o707, 0o1777]) {
      chmodSync(world.at("own"), mode);
      for (const environment of ["production", "development"])
        expect(world.faults({ ...env, ENVIRONMENT: environment }).slice(1)).toEqual([
          expect.stringMatching(`^  SALLYPORT_HOME: .*chmod 700 ${world.at("own")}`),
        ]);
    }
  });

  test("the folders above it count, also when it is to be made, and those of a link that leads to it", () => {
    const world = createWorld();
    mkdirSync(world.at("above"));
    mkdirSync(world.at("real/home"), { recursive: true });
    symlinkSync(world.at("real/home"), world.at("above/link"));
    const fresh = { SALLYPORT_HOME: world.at("above/new/home") };
    const linked = { SALLYPORT_HOME: world.at("above/link") };
    for (const env of [fresh, linked]) expect(world.faults(env)).toEqual([]);
    chmodSync(world.at("above"), 0o777);
    for (const env of [fresh, linked])
      expect(world.faults(env).slice(1)).toEqual([
        expect.stringMatching(`^  SALLYPORT_HOME: .*chmod go-w ${world.at("above")}`),
      ]);
    rmSync(world.at("above"), { recursive: true });
  });

  test.runIf(process.getuid?.() === 0)(
    "a group's folder above it is refused in production and told in development; another user's is refused",
    () => {
      const world = createWorld();
      mkdirSync(world.at("above/home"), { recursive: true });
      const env = { SALLYPORT_HOME: world.at("above/home") };
      chmodSync(world.at("above"), 0o775);
      expect(world.load(env).warnings).toEqual([]); // root's own group
      lchownSync(world.at("above"), 0, STRANGER);
      expect(world.faults(env).slice(1)).toEqual([expect.stringContaining(`chmod g-w ${world.at("above")}`)]);
      expect(world.load({ ...env, ...DEVELOPMENT }).warnings).toEqual([expect.stringContaining("chmod g-w")]);
      chmodSync(world.at("above"), 0o755);
      for (const folder of ["above", "above/home"]) {
        lchownSync(world.at("above"), 0, 0);
        lchownSync(world.at(folder), STRANGER, STRANGER);
        expect(world.faults({ ...env, ...DEVELOPMENT }).slice(1)).toEqual([
          expect.stringMatching(
            `^  SALLYPORT_HOME: .*${world.at(folder)}, which belongs to user ${STRANGER}`,
          ),
        ]);
      }
    },
  );
});

test("what a container hands in as root's under /run/secrets may be read by all in it; elsewhere, or a user's, it may not", () => {
  const world = createWorld();
  const stats = statSync(world.write("token", BOT_TOKEN, 0o444));
  const of = (path: string, uid: number) =>
    exposuresOfFile({ key: "k", path }, Object.assign(Object.create(stats), { uid }), null);
  expect(of("/run/secrets/token", 0)).toEqual([]);
  expect(of("/var/run/secrets/token", 0)).toEqual([]);
  expect(of("/run/secrets/token", STRANGER)).toHaveLength(1);
  expect(of("/srv/run/secrets/token", 0)).toHaveLength(1);
});
