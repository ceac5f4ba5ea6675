import assert from "node:assert/strict";
import test from "node:test";
import { checkSshd, type WantedOfSshd } from "../../../../src/server/check/check_sshd.ts";
import { isListed, settingsOf } from "../../../../src/server/check/sshd_settings.ts";

const wanted: WantedOfSshd = {
  account: {
    name: "petit",
    uid: 990,
    gid: 990,
    home: "/home/petit",
    authorizedKeys: "/home/petit/.ssh/authorized_keys",
  },
  sshdPort: 22,
  backPort: 3014,
  gatewayPorts: "no",
  ports: [11081, 11082],
  legacy: 0,
};

const RIGHT = "allowstreamlocalforwarding no\nclientaliveinterval 15\nport 22\n";

function findings(text: string, more: Partial<WantedOfSshd> = {}): Record<string, string> {
  const items = checkSshd(settingsOf(`${text}\n${RIGHT}`, "sshd", undefined), { ...wanted, ...more });
  return Object.fromEntries(
    items.filter(({ state }) => state !== "ok").map(({ name, state, line }) => [name, `${state}: ${line ?? ""}`]),
  );
}

test("an sshd that is right for tunnels has no findings", () => assert.deepEqual(findings(""), {}));

for (
  const [text, name, found, more = {}] of [
    ["allowtcpforwarding no", "AllowTcpForwarding", "failed: AllowTcpForwarding yes"],
    ["allowtcpforwarding local", "AllowTcpForwarding", "failed: AllowTcpForwarding yes"],
    ["disableforwarding yes", "DisableForwarding", "failed: DisableForwarding no"],
    ["pubkeyauthentication no", "PubkeyAuthentication", "failed: PubkeyAuthentication yes"],
    ["authenticationmethods publickey,password", "AuthenticationMethods", "failed: AuthenticationMethods publickey"],
    [
      "authorizedkeysfile /etc/ssh/keys/%u",
      "AuthorizedKeysFile",
      "failed: AuthorizedKeysFile /home/petit/.ssh/authorized_keys /etc/ssh/keys/%u",
    ],
    ["port 2200", "Port", "failed: ", { sshdPort: 2222 }],
    ["allowusers admin", "AllowUsers", "failed: AllowUsers admin petit"],
    ["denyusers pet*", "DenyUsers", "failed: "],
    ["permitopen localhost:80", "PermitOpen", "failed: PermitOpen localhost:80 localhost:3014"],
    ["permitlisten 11081", "PermitListen", "failed: PermitListen any"],
    ["allowstreamlocalforwarding yes", "AllowStreamLocalForwarding", "warning: AllowStreamLocalForwarding no"],
    ["permittunnel yes", "PermitTunnel", "failed: PermitTunnel no"],
    ["gatewayports yes", "GatewayPorts", "warning: GatewayPorts no"],
    ["gatewayports no", "GatewayPorts", "warning: GatewayPorts clientspecified", { gatewayPorts: "clientspecified" }],
    ["clientaliveinterval 0", "ClientAliveInterval", "warning: ClientAliveInterval 15\nClientAliveCountMax 3"],
    ["clientaliveinterval 600", "ClientAliveInterval", "warning: ClientAliveInterval 15\nClientAliveCountMax 3"],
    ["maxstartups 1:30:100", "MaxStartups", "warning: MaxStartups 100:30:200"],
    [
      "pubkeyacceptedalgorithms rsa-sha2-512",
      "PubkeyAcceptedAlgorithms",
      "failed: PubkeyAcceptedAlgorithms +ssh-ed25519",
    ],
    ["pubkeyacceptedalgorithms ssh-ed25519", "PubkeyAcceptedAlgorithms", "failed: PubkeyAcceptedAlgorithms +ssh-rsa", {
      legacy: 3,
    }],
    ["pubkeyacceptedalgorithms +ssh-rsa", "PubkeyAcceptedAlgorithms", "warning: "],
  ] as [string, string, string, Partial<WantedOfSshd>?][]
) {
  test(`sshd with "${text}" ${JSON.stringify(more)}: ${name}`, () =>
    assert.deepEqual(findings(text, more), { [name]: found }));
}

test("clients that log in as root are told of, and refused where sshd refuses root", () => {
  const account = { ...wanted.account, name: "root", uid: 0 };
  assert.match(findings("", { account })["PermitRootLogin"] ?? "", /^warning/);
  assert.match(findings("permitrootlogin no", { account })["PermitRootLogin"] ?? "", /^failed/);
});

test("sshd's patterns", () => {
  assert.ok(isListed(["a*", "petit"], "petit"));
  assert.ok(isListed(["p?tit@10.0.0.*"], "petit"));
  assert.ok(!isListed(["*", "!petit"], "petit"));
  assert.ok(!isListed([], "petit"));
});
