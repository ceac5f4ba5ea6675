import assert from "node:assert/strict";
import { before } from "node:test";
import fc from "fast-check";
import { fileScope } from "../world/file_scope.ts";
import { FuzzDaemons } from "./world/fuzz_daemons.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { hostileConnection } from "./world/hostile_connection.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";
import { anyPacket, KEX_ECDH_INIT, kexInit, message, NEWKEYS, packet, sshString, uint32 } from "./world/ssh_packets.ts";

const scope = fileScope();
let daemons: FuzzDaemons;
before(async () => void (daemons = await FuzzDaemons.start(scope)));

let turn = 0;
let greeted = 0;

async function check(bytes: Buffer): Promise<void> {
  const chance = chanceOf(bytes);
  const pieces = chance() < 0.5 ? [bytes] : piecesOf(bytes, chance).slice(0, 40);
  const answered = await hostileConnection(daemons.daemons.server.sshPort, pieces);
  assert.ok(answered === "" || answered.startsWith("SSH-2.0-petit_"));
  if (answered !== "") greeted++;
  if (++turn % 500 === 0) await daemons.stillWell();
}

const IDENTIFICATION = "SSH-2.0-fuzz\r\n";
const point = (byte: number, length = 32) => message(KEX_ECDH_INIT, sshString(Buffer.alloc(length, byte)));
const login = message(50, "user", "ssh-connection", "none");
const start = (...packets: Buffer[]) => Buffer.concat([Buffer.from(IDENTIFICATION), ...packets]);

const identification = fc.oneof(
  { weight: 6, arbitrary: fc.constant(IDENTIFICATION) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        "SSH-2.0-x\n",
        "SSH-1.99-x\r\n",
        "SSH-1.5-x\r\n",
        "SSH-2.0-\r\n",
        "SSH-2.0-x",
        "\r\n",
        "\n\n\n",
        "SSH-2.0-x\r\r\n",
      ],
      ...["GET / HTTP/1.1\r\n", `SSH-2.0-${"x".repeat(300)}\r\n`, "SSH-2.0-\0\xff\r\n", "x".repeat(70_000)],
      "line\r\n".repeat(2000),
    ),
  },
);
const made = fc.tuple(identification, fc.boolean(), fc.array(anyPacket, { maxLength: 5 }))
  .map(([first, exchange, packets]) =>
    Buffer.concat([Buffer.from(first, "latin1"), ...(exchange ? [packet(kexInit())] : []), ...packets])
  );
const KEX = ["ecdh-sha2-nistp256", "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512", "curve25519-sha256", "none"];
const exchanges = fc.tuple(
  fc.constantFrom(...KEX),
  fc.nat(255),
  fc.constantFrom(0, 1, 32, 33, 65, 133, 512, 1024, 4096),
)
  .map(([kex, byte, length]) => start(packet(kexInit({ kex })), packet(point(byte, length)), packet(message(NEWKEYS))));

fuzzTest({
  name: "ssh_login",
  seeds: [
    start(packet(kexInit()), packet(point(9)), packet(message(NEWKEYS))),
    start(packet(kexInit()), packet(point(0)), packet(message(NEWKEYS))),
    start(
      packet(kexInit({ kex: "curve25519-sha256,kex-strict-c-v00@openssh.com,ext-info-c" })),
      packet(message(2, "x")),
      packet(point(9)),
    ),
    start(packet(kexInit()), packet(kexInit()), packet(point(9))),
    start(packet(message(5, "ssh-userauth")), packet(login)),
    start(packet(message(NEWKEYS)), packet(message(94, uint32(0), "data"))),
    start(packet(message(1, uint32(11), "bye", ""))),
  ],
  words: [
    "SSH-2.0-",
    "\r\n",
    "\n",
    ",",
    "none",
    uint32(0xffffffff),
    uint32(35_000),
    packet(kexInit()),
    packet(message(2, "ignored")),
  ],
  made: [made, exchanges],
  short: 1000,
  batch: 500,
  check,
  after: () => {
    assert.ok(greeted > turn / 2, `only ${greeted} of ${turn} connections were greeted`);
    return daemons.atRest();
  },
  memory: () => daemons.memory(),
});
