import assert from "node:assert/strict";
import test from "node:test";
import { hostAndPort } from "../../../src/cli/values.ts";

const accepted: [text: string, fallback: number | undefined, host: string, port: number][] = [
  ["localhost:5432", undefined, "localhost", 5432],
  ["db.example.com:1", undefined, "db.example.com", 1],
  ["10.0.0.1:65535", undefined, "10.0.0.1", 65535],
  ["[::1]:80", undefined, "::1", 80],
  ["[2001:db8::A]:80", 2222, "2001:db8::A", 80],
  ["[::ffff:10.0.0.1]:80", undefined, "::ffff:10.0.0.1", 80],
  ["localhost", 2222, "localhost", 2222],
  ["[::1]", 2222, "::1", 2222],
  ["localhost:22", 2222, "localhost", 22],
];

for (const [text, fallback, host, port] of accepted) {
  test(`host and port: ${text} with ${fallback ?? "no"} default is ${host} and ${port}`, () => {
    assert.deepEqual(hostAndPort(text, "--local", fallback), { host, port });
  });
}

const refused: [text: string, fallback: number | undefined][] = [
  ["", undefined],
  ["", 2222],
  ["localhost", undefined],
  ["[::1]", undefined],
  [":80", undefined],
  [":80", 2222],
  ["localhost:", undefined],
  ["localhost:", 2222],
  ["localhost:0", undefined],
  ["localhost:65536", 2222],
  ["localhost:123456", 2222],
  ["localhost:-1", undefined],
  ["localhost:http", undefined],
  ["localhost:80:80", undefined],
  ["::1", 2222],
  ["::1:80", undefined],
  ["[::1]80", 2222],
  ["[::1", 2222],
  ["[]:80", undefined],
  ["[localhost]:80", undefined],
  ["http://localhost:80", undefined],
];

for (const [text, fallback] of refused) {
  test(`host and port: ${JSON.stringify(text)} with ${fallback ?? "no"} default is refused`, () => {
    assert.throws(() => hostAndPort(text, "--local", fallback), {
      name: "PetitError",
      code: "usage",
      exitCode: 2,
      message: `"${text}" is not an address for --local`,
      hint: fallback === undefined ? /HOST:PORT/ : /HOST or HOST:PORT.*:2222/,
    });
  });
}
