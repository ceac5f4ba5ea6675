import assert from "node:assert/strict";
import test from "node:test";
import { plainPath } from "../../src/plain_path.ts";

test("plain path: what everybody reads alike is the path without its query", () => {
  const cases: [target: string, path: string][] = [
    ["/", "/"],
    ["/api/", "/api/"],
    ["/api/books?q=../x;//&a=%2e%2F", "/api/books"],
    ["/a-b_c.d~e/1.2.3/...x/.well-known/x.", "/a-b_c.d~e/1.2.3/...x/.well-known/x."],
    ["/caf%c3%a9/a%20b", "/caf%C3%A9/a%20b"],
    ["/@me/x:y/(1),2*3=4+5&6$!'", "/@me/x:y/(1),2*3=4+5&6$!'"],
    ["/%E6%97%A5%E6%9C%AC", "/%E6%97%A5%E6%9C%AC"],
  ];
  for (const [target, path] of cases) assert.equal(plainPath(target), path, target);
});

for (
  const [what, targets] of [
    ["dot segments", ["/api/../admin", "/api/..", "/api/.", "/./x", "/..", "/../", "/api/.?x"]],
    ["dots and blanks, which Windows leaves out", [
      "/api/.../x",
      "/api/..%20/x",
      "/api/.%20./x",
      "/api/%20/x",
      "/api/..%C2%A0/",
    ]],
    ["escaped dots", ["/api/%2e%2e/admin", "/api/%2E./x", "/%2e/x", "/a%2eb"]],
    ["empty segments", ["//admin", "/api//x", "/api//", "///", "/api/x//"]],
    ["parameters", ["/api/;x/admin", "/api/..;/admin", "/api;x", "/api/x;jsessionid=1", "/api/%3bx"]],
    ["backslashes", ["/api\\..\\admin", "/\\admin", "/api/%5c..%5Cadmin"]],
    ["escaped solidi", ["/api/%2Fadmin", "/api%2f..%2fadmin", "/%2F"]],
    ["escapes of what needs none", ["/%61pi/", "/%41", "/%30", "/%7e", "/%2D", "/%5F"]],
    ["escapes twice over", ["/api/%252e%252e/", "/%2561pi", "/100%25"]],
    ["escapes that are none", ["/%", "/%4", "/%zz", "/%u002e%u002e/", "/% 1"]],
    ["escaped delimiters and controls", ["/a%3Fb", "/a%23b", "/a%00b", "/a%0ab", "/a%7f"]],
    ["overlong and broken UTF-8", ["/%c0%ae%c0%ae/", "/%e0%80%af", "/%ff", "/%c3", "/%C3/%A9", "/%ed%a0%80"]],
    ["look-alikes of structure", [
      "/%EF%BC%8Fadmin",
      "/%EF%BC%8E%EF%BC%8E/",
      "/%E2%80%A6/",
      "/%EF%BC%9Bx",
      "/%EF%BC%85",
    ]],
    ["characters that some leave out", ["/.%E2%80%8B./x", "/%EF%BB%BFx", "/%C2%85"]],
    ["what is not ASCII, or not allowed in a path", [
      "/caf\xc3\xa9",
      "/a b",
      '/a"b',
      "/<x>",
      "/a|b",
      "/{x}",
      "/[x]",
      "/a^b",
      "/`",
    ]],
    ["what is no path", ["", "*", "api/", "http://x/api/", "example.com:443", "?x", "/a#b", "/a?b#c"]],
  ] as const
) {
  test(`plain path: ${what}: can be read in two ways`, () => {
    for (const target of targets) assert.equal(plainPath(target), undefined, JSON.stringify(target));
  });
}
