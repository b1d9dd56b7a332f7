/** Puts the built command where npx looks in a clone: npm links the commands of dependencies, not the project's own. */
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const command = join("dist", "cli", "main.js");
chmodSync(command, 0o755);
if (existsSync("node_modules")) {
  const folder = join("node_modules", ".bin");
  mkdirSync(folder, { recursive: true });
  if (process.platform === "win32") {
    writeFileSync(join(folder, "coppice.cmd"), '@node "%~dp0\\..\\..\\dist\\cli\\main.js" %*\r\n');
  } else {
    const link = join(folder, "coppice");
    rmSync(link, { force: true });
    symlinkSync(join("..", "..", command), link);
  }
}
