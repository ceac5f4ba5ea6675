import assert from "node:assert/strict";
import test from "node:test";
import type { PetitError } from "../../../src/error.ts";
import { isRedisUrl, parseRedisUrl } from "../../../src/registry/redis_url.ts";

const nobody = { username: undefined, password: undefined };
const plain = { host: "localhost", port: 6379, tls: false, database: 0, ...nobody };

const good: [url: string, address: object][] = [
  ["redis://localhost:6379", plain],
  ["redis://localhost", plain],
  ["redis://", plain],
  ["REDIS://localhost/", plain],
  ["redis://[::1]:7000/15", { ...plain, host: "::1", port: 7000, database: 15 }],
  ["redis://:p%40ss@10.0.0.1", { ...plain, host: "10.0.0.1", password: "p@ss" }],
  ["rediss://ann:secret@r.example.com/2", {
    ...{ host: "r.example.com", port: 6379, tls: true, database: 2, username: "ann", password: "secret" },
  }],
];
for (const [url, address] of good) {
  test(`Redis URL: ${url}`, () => assert.deepEqual(parseRedisUrl(url), address));
}

for (
  const url of [
    ...["redis://:hidden@host:port", "redis://:hidden@host/db", "redis://:hidden@host/0/1"],
    ...["redis://:hidden@host?db=1", "http://:hidden@host", "", "redis://:hid%den@host", "redis://:hidden@host:70000"],
  ]
) {
  test(`Redis URL: "${url}" is refused, and not repeated`, () => {
    assert.throws(() => parseRedisUrl(url), ({ code, message, hint }: PetitError) => {
      assert.equal(code, "redis-url-invalid");
      assert.doesNotMatch(message + hint, /hid/);
      return true;
    });
  });
}

test("a file is not taken for a URL", () => {
  assert.deepEqual(["redis://x", "rediss:x", "./redis", "redis.json", "C:\\redis"].map(isRedisUrl), [
    ...[true, true, false, false, false],
  ]);
});
