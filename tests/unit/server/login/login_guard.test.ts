import assert from "node:assert/strict";
import test from "node:test";
import {
  type FailedLogin,
  LoginGuard,
  type LoginGuardSettings,
  type Throttled,
} from "../../../../src/server/login/login_guard.ts";

const DEFAULTS: LoginGuardSettings = {
  maxStartups: 2000,
  perSourceMaxStartups: 1000,
  perSourcePenalty: 5000,
  perSourcePenaltyMin: 100_000,
  perSourcePenaltyExemptList: [],
  perSourceNetBlockSize: "32:64",
  maxFailedLogins: 20,
};

const REFUSED: FailedLogin = { refused: true, slow: false, wrongCodes: 0 };
const LEFT: FailedLogin = { refused: false, slow: false, wrongCodes: 0 };
const WRONG_CODE: FailedLogin = { refused: true, slow: false, wrongCodes: 1 };

/** A guard whose clock the test turns. */
function guarded(settings: Partial<LoginGuardSettings> = {}) {
  const clock = { now: 1_000_000 };
  const throttled: Throttled[] = [];
  const guard = new LoginGuard(
    { ...DEFAULTS, ...settings },
    { mostForStartups: Infinity },
    (event) => throttled.push(event),
    () => clock.now,
  );
  const admit = (address: string, drop = () => {}) => guard.admit(address, drop);
  /** How many of so many logins in a row are let in, all of which fail. */
  const failures = (address: string, count: number, how = REFUSED) => {
    let admitted = 0;
    for (let i = 0; i < count; i++) {
      const startup = admit(address);
      if (startup === undefined) continue;
      admitted++;
      guard.failed(startup, how);
    }
    return admitted;
  };
  /** Clients that are logged in at the same time. */
  const logIn = (address: string, count = 1) =>
    Array.from({ length: count }, () => {
      const startup = admit(address);
      assert.ok(startup, `a login of ${address} is let in`);
      guard.loggedIn(startup);
      return startup;
    });
  return { guard, clock, throttled, admit, failures, logIn };
}

test("an address whose logins fail is refused after 20 of them, and let in once more every five seconds", () => {
  const { clock, failures, throttled, guard } = guarded();
  assert.equal(failures("192.0.2.1", 1000), 21);
  assert.equal(throttled[0]?.reason, "source");
  assert.equal(throttled[0]?.wait, 5000);
  clock.now += 60_000;
  assert.equal(failures("192.0.2.1", 1000), 12);
  assert.equal(guard.throttled.source, 979 + 988);
});

test("another address is not concerned", () => {
  const { failures, admit } = guarded();
  failures("192.0.2.1", 100);
  assert.ok(admit("192.0.2.2"));
});

test("a wrong join code weighs as four failed logins, and leaving without a try as a fifth of one", () => {
  const { failures } = guarded({ maxFailedLogins: 1000 });
  assert.equal(failures("192.0.2.1", 100, WRONG_CODE), 6);
  assert.equal(failures("192.0.2.2", 1000, LEFT), 101);
  assert.equal(failures("192.0.2.3", 1000, { refused: false, slow: true, wrongCodes: 0 }), 21);
});

test("the addresses of an IPv6 network are one source", () => {
  const { failures, admit } = guarded();
  failures("2001:db8::1", 100);
  assert.equal(admit("2001:db8::ffff:1"), undefined);
  assert.ok(admit("2001:db8:0:1::1"));
});

test("logins that are under way count, once one has failed", () => {
  const { guard, admit } = guarded();
  const first = admit("192.0.2.1");
  assert.ok(first);
  guard.failed(first, REFUSED);
  let admitted = 0;
  for (let i = 0; i < 1000; i++) if (admit("192.0.2.1")) admitted++;
  assert.equal(admitted, 20);
});

test("a thousand clients that come back at once are let in, from one address and from a thousand", () => {
  const { admit, throttled } = guarded();
  for (let i = 0; i < 1000; i++) {
    assert.ok(admit("192.0.2.1"));
    assert.ok(admit(`198.51.${i >> 8}.${i & 255}`));
  }
  assert.deepEqual(throttled, []);
});

test("one client that fails every second does not shut out its neighbours behind the same address", () => {
  const { clock, failures, logIn, guard, admit } = guarded();
  const neighbours = logIn("192.0.2.1", 99);
  for (let second = 0; second < 600; second++) {
    assert.equal(failures("192.0.2.1", 1), 1, `second ${second}`);
    // Each of them loses its tunnel now and then.
    const neighbour = neighbours[second % 99] as ReturnType<typeof logIn>[number];
    guard.loggedOut(neighbour);
    const again = admit("192.0.2.1");
    assert.ok(again);
    guard.loggedIn(again);
    neighbours[second % 99] = again;
    clock.now += 1000;
  }
});

test("attempts that a network broke off do not shut out the clients that made them", () => {
  const { failures, logIn, admit } = guarded();
  logIn("192.0.2.1", 500);
  assert.equal(failures("192.0.2.1", 5000, LEFT), 5000);
  for (let i = 0; i < 500; i++) assert.ok(admit("192.0.2.1"));
});

test("an address whose client has failed before it was known is let in again when it is", () => {
  const { clock, failures, logIn } = guarded();
  failures("192.0.2.1", 100);
  clock.now += 5000;
  logIn("192.0.2.1", 99);
});

test("an address is known for an hour after its last client left", () => {
  const { clock, guard, failures, logIn } = guarded();
  const [client] = logIn("192.0.2.1");
  clock.now += 10 * 3_600_000;
  assert.equal(failures("192.0.2.1", 1000), 401);
  clock.now += 200_000;
  guard.loggedOut(client as ReturnType<typeof logIn>[number]);
  clock.now += 3_600_000;
  assert.equal(failures("192.0.2.1", 1000), 21);
});

test("many addresses together fail 20 times a second in the long run; newcomers and known ones come through", () => {
  const { clock, failures, logIn, guard, admit } = guarded();
  logIn("192.0.2.1");
  const attack = () => {
    let admitted = 0;
    for (let i = 0; i < 1000; i++) admitted += failures(`198.51.${i >> 8}.${i & 255}`, 1);
    return admitted;
  };
  const first = attack();
  assert.ok(first <= 81, `${first} in the first second`);
  let later = 0;
  for (let second = 0; second < 60; second++) {
    clock.now += 1000;
    later += attack();
    logIn("192.0.2.1");
  }
  assert.ok(later <= 60 * 21, `${later} in a minute`);
  assert.ok(guard.throttled.overall > 0);
  // Those who attack have all failed before: what is kept for newcomers has come back.
  clock.now += 10_000;
  for (let i = 0; i < 60; i++) failures(`198.51.0.${i}`, 1);
  assert.equal(admit("198.51.0.7"), undefined);
  assert.ok(admit("203.0.113.1"));
});

test("when logins of strangers fail, those that have only begun count too, and no more when they succeed", () => {
  const { guard, failures, admit } = guarded();
  for (let i = 0; i < 25; i++) failures(`192.0.2.${i}`, 1);
  const begun = Array.from({ length: 1000 }, (_, i) => admit(`198.51.${i >> 8}.${i & 255}`)).filter(Boolean);
  assert.ok(begun.length < 60, `${begun.length} are let in`);
  for (const startup of begun) guard.loggedIn(startup as NonNullable<typeof startup>);
  assert.ok(admit("203.0.113.1"));
});

test("when there is no room, the oldest of the greediest address gives way to others, and not to its own at once", () => {
  const { clock, admit, guard } = guarded({ maxStartups: 10, perSourceMaxStartups: 8 });
  const dropped: string[] = [];
  const open = (address: string, name: string) => admit(address, () => dropped.push(name));
  for (let i = 0; i < 8; i++) assert.ok(open("192.0.2.1", `flood ${i}`));
  assert.equal(open("192.0.2.1", "one too many"), undefined);
  for (let i = 2; i < 5; i++) assert.ok(open(`192.0.2.${i}`, `other ${i}`));
  assert.deepEqual(dropped, ["flood 0"]);
  assert.equal(open("192.0.2.1", "again"), undefined);
  assert.equal(guard.throttled.startups, 2);
  clock.now += 3000;
  assert.ok(open("192.0.2.1", "now"));
  assert.deepEqual(dropped, ["flood 0", "flood 1"]);
  assert.equal(guard.startups, 10);
});

test("when every address has one place, a login in progress is not thrown away for another", () => {
  const { clock, admit } = guarded({ maxStartups: 10 });
  const dropped: number[] = [];
  const open = (number: number) => admit(`192.0.2.${number}`, () => dropped.push(number));
  for (let i = 0; i < 10; i++) assert.ok(open(i));
  assert.equal(open(10), undefined);
  clock.now += 3000;
  assert.ok(open(10));
  assert.deepEqual(dropped, [0]);
});

test("connections of strangers leave room for addresses with clients", () => {
  const { admit, logIn } = guarded({ maxStartups: 10 });
  logIn("192.0.2.1");
  for (let i = 0; i < 20; i++) admit(`198.51.100.${i}`);
  for (let i = 0; i < 10; i++) assert.ok(admit("192.0.2.1"));
});

test("a connection that had to give way counts as failed when it is gone, once", () => {
  const { clock, admit, guard } = guarded({ maxStartups: 1, perSourcePenaltyMin: 4999 });
  const first = admit("192.0.2.1");
  assert.ok(first);
  clock.now += 3000;
  assert.ok(admit("192.0.2.2"));
  guard.failed(first, LEFT);
  assert.equal(guard.startups, 1);
  assert.equal(admit("192.0.2.1"), undefined);
});

test("exempt addresses are not throttled, and need room like others", () => {
  const { failures, admit, clock, guard } = guarded({
    perSourcePenaltyExemptList: ["192.0.2.0/24", "2001:db8::1"],
    maxStartups: 5,
    perSourceMaxStartups: 1,
  });
  assert.equal(failures("192.0.2.200", 1000), 1000);
  assert.equal(failures("2001:db8::1", 1000), 1000);
  for (let i = 0; i < 5; i++) assert.ok(admit("192.0.2.1"));
  assert.equal(admit("192.0.2.1"), undefined);
  clock.now += 3000;
  assert.ok(admit("198.51.100.1"));
  assert.equal(guard.startups, 5);
});

test("without penalties nobody is throttled", () => {
  assert.equal(guarded({ perSourcePenalty: 0 }).failures("192.0.2.1", 1000), 1000);
});

test("what an attacker can make it remember is bounded, and its clients are not forgotten for it", () => {
  const { logIn, guard, clock, failures } = guarded({ maxFailedLogins: 1_000_000 });
  logIn("192.0.2.1");
  for (let i = 0; i < 70_000; i++) {
    failures(`10.${i >> 16}.${i >> 8 & 255}.${i & 255}`, 1);
    clock.now += 0.01;
  }
  assert.ok(guard.remembered <= 65_537, `${guard.remembered}`);
  assert.equal(failures("192.0.2.1", 100), 100);
});

test("an address of which there is nothing to say is forgotten", () => {
  const { guard, failures, clock } = guarded();
  failures("192.0.2.1", 1);
  assert.equal(guard.remembered, 1);
  clock.now += 6000;
  failures("192.0.2.1", 1, LEFT);
  clock.now += 1000;
  const again = guard.admit("192.0.2.1", () => {});
  assert.ok(again);
  guard.loggedIn(again);
  guard.loggedOut(again);
  assert.equal(guard.remembered, 1);
});
