import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pages } from "./package-servers.ts";
import { tempDir } from "./temp.ts";

/** Projects of PyPI by the modules that Debian's package of theirs has installed. */
const PROJECTS = {
  pytest: ["pytest", "_pytest"],
  pluggy: ["pluggy"],
  iniconfig: ["iniconfig"],
  packaging: ["packaging"],
  attrs: ["attr", "attrs"],
  py: ["py"],
} as const;

/** Packs what is installed into wheels again (PEP 427), with the name, version and needs that its own metadata tell. */
const PACK = `
import importlib.metadata as metadata, json, pathlib, sys, zipfile
out = pathlib.Path(sys.argv[1])
for name, modules in json.loads(sys.argv[2]).items():
    found = metadata.distribution(name)
    version = found.version.split("+")[0]
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(out / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        names = []
        def put(path, text):
            names.append(path)
            wheel.writestr(path, text)
        for module in modules:
            top = pathlib.Path(found.locate_file(module))
            for file in top.rglob("*"):
                if file.is_file() and "__pycache__" not in file.parts:
                    put(str(file.relative_to(top.parent)), file.read_bytes())
        needs = ["Requires-Dist: py\\n"] if name == "pytest" else [] # Debian takes it out of pytest
        needs += [f"Requires-Dist: {need}\\n" for need in found.requires or [] if "extra ==" not in need]
        put(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n" + "".join(needs))
        put(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        scripts = [f"{point.name} = {point.value}\\n" for point in found.entry_points if point.group == "console_scripts"]
        put(f"{info}/entry_points.txt", "[console_scripts]\\n" + "".join(scripts))
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\\n" for path in [*names, f"{info}/RECORD"]))
`;

/** PyPI with the true pytest and all that it needs, out of the packages of this system (python3-pytest). */
export function pypiPages(): Pages {
  const folder = tempDir("pypi-");
  try {
    execFileSync("/usr/bin/python3", ["-c", PACK, folder, JSON.stringify(PROJECTS)], { stdio: "pipe" });
  } catch (cause) {
    throw new Error("This test installs pytest out of Debian's: apt-get install -y python3-pytest", {
      cause,
    });
  }
  return Object.fromEntries(
    readdirSync(folder).flatMap((wheel) => [
      [
        `pypi.org/simple/${wheel.split("-")[0]}/`,
        `<html><body><a href="https://files.pythonhosted.org/${wheel}">${wheel}</a></body></html>`,
      ],
      [`files.pythonhosted.org/${wheel}`, readFileSync(join(folder, wheel))],
    ]),
  );
}
