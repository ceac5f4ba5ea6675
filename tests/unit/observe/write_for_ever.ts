// Writes numbered lines to a rotating file until it is killed; with "exit" it ends by process.exit() at some point, and prints how many they were.
import { existsSync, writeSync } from "node:fs";
import process from "node:process";
import { numberedFile } from "../../../src/observe/numbered_files.ts";
import { RotatingFile } from "../../../src/observe/rotating_file.ts";

const [, , file = "", end = ""] = process.argv;
const log = new RotatingFile({ file, maxSize: 64 * 1024, maxFiles: 1000, onTrouble() {}, onRecovered() {} });
const filling = "x".repeat(100);
let n = 0;
let told = end !== "";
setInterval(() => {
  for (let i = 0; i < 200; i++) log.write(`{"n":${n++},"msg":"${filling}"}\n`);
  if (end === "exit" && n >= 10_000) {
    writeSync(1, `${n}\n`);
    process.exit(0);
  }
  if (!told && existsSync(numberedFile(file, 1))) {
    told = true;
    writeSync(1, "begun\n");
  }
}, 1);
