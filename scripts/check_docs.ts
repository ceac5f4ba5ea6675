// Holds the pages to the tree: every path of the project that a page names in backticks exists.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./project.ts";

const pages = [
  "README.md",
  "CHANGELOG.md",
  ...readdirSync(join(root, ".github")).filter((name) => name.endsWith(".md")).map((name) => join(".github", name)),
];
let missing = 0;
for (const page of pages) {
  for (
    const [, path = ""] of readFileSync(join(root, page), "utf8").matchAll(
      /`((?:src|tests|scripts)\/[^`\s]*|main\.ts)`/g,
    )
  ) {
    if (existsSync(join(root, path))) continue;
    missing++;
    console.error(`${page} names "${path}", which does not exist`);
  }
}
process.exit(missing === 0 ? 0 : 1);
