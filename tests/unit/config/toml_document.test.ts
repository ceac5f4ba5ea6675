import assert from "node:assert/strict";
import test from "node:test";
import { TomlDocument } from "../../../src/config/toml.ts";

interface Change {
  text: string;
  section: string;
  key: string;
  value: string | number | boolean;
  /** The text to the letter. */
  becomes: string;
}

const changes: Record<string, Change> = {
  "a value with characters that TOML wants escaped": {
    text: '[client]\nhost = "a"\n',
    section: "client",
    key: "host",
    value: '"\\\x00\n\x1f\x7f\x80é',
    becomes: '[client]\nhost = "\\"\\\\\\u0000\\n\\u001f\\u007f\x80é"\n',
  },
  "an existing key, and no other byte of the file": {
    text: '# head\n\n[client] # mine\nhost   =  "old"  # why\nport = 1\n\n[client.local]\nhost = "db"\n# end\n',
    section: "client",
    key: "host",
    value: "new",
    becomes: '# head\n\n[client] # mine\nhost   =  "new"  # why\nport = 1\n\n[client.local]\nhost = "db"\n# end\n',
  },
  "a key of a section below, not its namesake above": {
    text: '[client]\nhost = "a"\n[client.local]\nhost = "b"\n',
    section: "client.local",
    key: "host",
    value: "c",
    becomes: '[client]\nhost = "a"\n[client.local]\nhost = "c"\n',
  },
  "a missing key, below the heading of its section": {
    text: '[client] # mine\nhost = "a"\n[server]\n',
    section: "client",
    key: "port",
    value: 22,
    becomes: '[client] # mine\nport = 22\nhost = "a"\n[server]\n',
  },
  "a missing key of a section at the end of a file without a newline": {
    text: "[server]\n[client]",
    section: "client",
    key: "port",
    value: 22,
    becomes: "[server]\n[client]\nport = 22\n",
  },
  "an existing key at the end of a file without a newline": {
    text: "[client]\nport = 1",
    section: "client",
    key: "port",
    value: 22,
    becomes: "[client]\nport = 22",
  },
  "a key of a missing section, behind everything else": {
    text: "[client]\nport = 1\n",
    section: "client.local",
    key: "tls",
    value: true,
    becomes: "[client]\nport = 1\n\n[client.local]\ntls = true\n",
  },
  "a key of a missing section, behind a last line without a newline": {
    text: "[client]\nport = 1",
    section: "client.local",
    key: "port",
    value: 2,
    becomes: "[client]\nport = 1\n\n[client.local]\nport = 2\n",
  },
  "a key in an empty file": {
    text: "",
    section: "client",
    key: "port",
    value: 2,
    becomes: "[client]\nport = 2\n",
  },
  "a key in an inline table": {
    text: 'client = { host = "a", port = 1 } # short\n',
    section: "client",
    key: "host",
    value: "b",
    becomes: 'client = { host = "b", port = 1 } # short\n',
  },
  "a key in a nested inline table": {
    text: "client = { local = { port = 1 }, port = 2 }\n",
    section: "client.local",
    key: "port",
    value: 3,
    becomes: "client = { local = { port = 3 }, port = 2 }\n",
  },
  "a dotted key": {
    text: "[client]\nlocal.port = 1 # db\n",
    section: "client.local",
    key: "port",
    value: 2,
    becomes: "[client]\nlocal.port = 2 # db\n",
  },
  "a quoted key": {
    text: '["client"]\n"host" = "a"\n',
    section: "client",
    key: "host",
    value: "b",
    becomes: '["client"]\n"host" = "b"\n',
  },
  "a key in a file with Windows line ends": {
    text: '[client]\r\nhost = "a"\r\nport = 1\r\n',
    section: "client",
    key: "host",
    value: "b",
    becomes: '[client]\r\nhost = "b"\r\nport = 1\r\n',
  },
  "a value of several lines": {
    text: '[client]\nhost = """\na"""\nport = 1\n',
    section: "client",
    key: "host",
    value: "b",
    becomes: '[client]\nhost = "b"\nport = 1\n',
  },
};

for (const [name, { text, section, key, value, becomes }] of Object.entries(changes)) {
  test(`TOML: a change sets ${name}`, () => {
    assert.equal(new TomlDocument(text).with(section, key, value), becomes);
  });
}

/** Where the place of the new key is free, but it has to be in the right table of a text that still parses. */
const additions: Record<string, [text: string, section: string, key: string]> = {
  "an inline table": ['client = { host = "a" } # short\n', "client", "added"],
  "an empty inline table": ["client = {} # short\n", "client", "added"],
  "an inline table inside a section": ["[client] # short\nlocal = { port = 1 }\n", "client.local", "added"],
  "a table of dotted keys": ['client.host = "a" # short\n', "client", "added"],
  "a table of dotted keys inside a section": ["[client]\nlocal.port = 1 # short\n", "client.local", "added"],
  "a table of dotted keys inside an inline table": ["client = { local.port = 1 } # short\n", "client.local", "added"],
  "an inline table inside an inline table": ["client = { local = { port = 1 } } # short\n", "client.local", "added"],
  "an inline table behind a dotted key": ["client.local = { port = 1 } # short\n", "client.local", "added"],
  "a table of dotted keys of two parts": ["client.local.port = 1 # short\n[server]\n", "client", "added"],
  "a section that has only a section below it": ["[client.local] # short\nport = 1\n", "client", "added"],
  "a section that stands behind the one below it": [
    "[client.local] # short\nport = 1\n[client]\nport = 2\n",
    "client",
    "added",
  ],
};

for (const [name, [text, section, key]] of Object.entries(additions)) {
  test(`TOML: a missing key of ${name} is added to it, and the rest stays`, () => {
    const changed = new TomlDocument(text).with(section, key, "new");
    const wanted = structuredClone(new TomlDocument(text).value);
    let table = wanted as Record<string, Record<string, never>>;
    for (const part of section.split(".")) table = (table[part] ??= {}) as never;
    (table as Record<string, unknown>)[key] = "new";
    assert.deepEqual(new TomlDocument(changed).value, wanted);
    assert.match(changed, /# short/);
  });
}

test("TOML: a string with quotes, backslashes and control characters comes back as it was", () => {
  const value = 'C:\\petit\\"x"\t\u0000\u001bé😀';
  const changed = new TomlDocument("[client]\n").with("client", "host", value);
  assert.equal(new TomlDocument(changed).get(["client", "host"]), value);
});

test("TOML: a place is that of the key, or of the longest part of its path that is there", () => {
  const document = new TomlDocument(
    'top = 1\n\n[server]\n  proxyPort = 1\nvitae = { endpoint = "x" }\n[client.local]\n',
  );
  assert.deepEqual(document.placeOf(["server", "proxyPort"]), { line: 4, column: 3 });
  assert.deepEqual(document.placeOf(["server", "vitae", "endpoint"]), { line: 5, column: 11 });
  assert.deepEqual(document.placeOf(["server", "missing"]), { line: 3, column: 2 });
  assert.deepEqual(document.placeOf(["client"]), { line: 6, column: 2 });
  assert.deepEqual(document.placeOf(["missing"]), { line: 1, column: 1 });
});
