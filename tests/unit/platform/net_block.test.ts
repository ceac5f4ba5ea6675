import assert from "node:assert/strict";
import test from "node:test";
import { blockSizes, netBlock } from "../../../src/platform/net_block.ts";

test("an IPv4 address is a network of its own, unless larger blocks are asked for", () => {
  assert.equal(netBlock("192.0.2.77", blockSizes("32:64")), "192.0.2.77");
  assert.equal(netBlock("192.0.2.77", blockSizes("24:64")), "192.0.2.0/24");
  assert.equal(netBlock("192.0.2.77", blockSizes("27:64")), "192.0.2.64/27");
  assert.equal(netBlock("192.0.2.77", blockSizes("1:64")), "128.0.0.0/1");
});

test("the addresses of an IPv6 network are one, however they are written", () => {
  const sizes = blockSizes("32:64");
  const name = "2001:db8:1:2:0:0:0:0/64";
  for (const address of ["2001:db8:1:2::1", "2001:DB8:1:2:ffff::", "2001:0db8:0001:0002:a:b:192.0.2.1"]) {
    assert.equal(netBlock(address, sizes), name, address);
  }
  assert.notEqual(netBlock("2001:db8:1:3::1", sizes), name);
  assert.equal(netBlock("::1", sizes), "0:0:0:0:0:0:0:0/64");
  assert.equal(netBlock("fe80::1%eth0", sizes), "fe80:0:0:0:0:0:0:0/64");
  assert.equal(netBlock("2001:db8::1", blockSizes("32:128")), "2001:db8:0:0:0:0:0:1");
  assert.equal(netBlock("2001:db8:ffff::1", blockSizes("32:36")), "2001:db8:f000:0:0:0:0:0/36");
});

test("what is no address is a network of its own", () => {
  assert.equal(netBlock("unknown", blockSizes("32:64")), "unknown");
});
