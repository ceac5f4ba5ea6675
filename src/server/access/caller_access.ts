import type { Field } from "../../http/fields.ts";
import type { Peer } from "../forwarded_fields.ts";
import { provenCaller } from "../real_caller.ts";
import { type Refusal, refusals } from "../refusal.ts";
import type { AccessRule, KnownCredential } from "./access_rule.ts";
import type { AccessRules } from "./access_rules.ts";
import type { PasswordVerdict } from "./passwords.ts";
import { fitsQuick, NOBODY } from "./secret_hash.ts";
import { carriesCredentials, type Shown, shownCredentials, valueShown } from "./shown_credentials.ts";

/** A token as `make_credential.ts` makes it: the id in it is no secret. */
const TOKEN = /^bearer +(petit_([0-9a-f]{12})_[A-Za-z0-9_-]{43})$/i;

/** Whether a caller's requests may be forwarded; one for each of its connections. */
export class CallerAccess {
  readonly #rules: AccessRules;
  readonly #peer: Peer;
  /** The last rule that let this connection's address in. */
  #passed: AccessRule | undefined;
  /** The last rule that takes this connection's certificate by its name. */
  #named: AccessRule | undefined;
  /** Of the request that was asked about last, as are the next three. */
  #registration: string | undefined;
  #rule: AccessRule | undefined;
  #fields: readonly Field[] = [];
  #credential: KnownCredential | undefined;
  /** What this connection showed last that was right, under which rule, and whose it is. */
  #right: { readonly value: string; readonly rule: AccessRule; readonly credential: KnownCredential } | undefined;
  /** Its password is being looked at. */
  #undecided = false;

  constructor(rules: AccessRules, peer: Peer) {
    this.#rules = rules;
    this.#peer = peer;
  }

  /**
   * Decides about a request by the head that its registration was chosen from. A registration that is unknown is judged by the default, so
   * that whoever is not let in cannot find out which ids there are.
   *
   * @returns undefined where it may be forwarded
   */
  check(
    registration: string | undefined,
    fields: readonly Field[],
  ): Refusal | undefined | Promise<Refusal | undefined> {
    const rule = this.#rule = this.#rules.of(registration);
    this.#registration = registration;
    this.#fields = fields;
    this.#credential = undefined;
    if (rule.isOpen) return undefined;
    const refused = this.#checkConnection(rule) ?? (rule.requiresCredential ? this.#checkCredential(rule) : undefined);
    if (refused instanceof Promise) return refused.then((refusal) => this.#told(refusal));
    return this.#told(refused);
  }

  /** Whether the request that was let in last would still be. */
  get holds(): boolean {
    if (this.#rule === undefined || this.#undecided) return true;
    const rule = this.#rules.of(this.#registration);
    if (rule.isOpen) return true;
    const credential = this.#credential;
    const credited = !rule.requiresCredential ||
      (credential !== undefined && rule.stillTakes(credential, this.#rules.now()));
    return credited && this.#checkConnection(rule) === undefined;
  }

  /** The fields that the service gets: without what petit alone was to be shown. */
  forService(fields: readonly Field[]): readonly Field[] {
    const rule = this.#rule;
    if (rule === undefined || !rule.requiresCredential) return fields;
    const { stripCredentials, credentialField } = rule.settings;
    return fields.filter(({ lower }) =>
      !carriesCredentials(lower, credentialField) || (!stripCredentials && lower === credentialField)
    );
  }

  #checkConnection(rule: AccessRule): Refusal | undefined {
    const { trusted, certificate } = this.#peer;
    if (trusted || this.#passed !== rule) {
      if (!rule.allows(this.#address)) return refusals.callerNotAllowed;
      this.#passed = rule;
    }
    if (!rule.requiresCertificate) return undefined;
    if (certificate === undefined) return refusals.certificateMissing;
    if (!certificate.isGood(this.#rules.now())) return refusals.certificateRefused;
    if (this.#named === rule) return undefined;
    if (!certificate.isOneOf(rule.settings.certificates)) return refusals.certificateRefused;
    this.#named = rule;
    return undefined;
  }

  /** "unknown" where trusted proxies contradict themselves. */
  get #address(): string {
    return provenCaller(this.#peer, this.#fields);
  }

  #checkCredential(rule: AccessRule): Refusal | undefined | Promise<Refusal | undefined> {
    const value = valueShown(this.#fields, rule.settings.credentialField);
    if (value === null) return refusals.credentialsAmbiguous;
    if (value !== undefined && this.#isAsBefore(rule, value)) return undefined;
    const shown = value === undefined ? undefined : this.#recalled(rule, value) ?? shownCredentials(value);
    if (shown === "right") return undefined;
    if (shown?.kind === "malformed") return wrong(rule);
    if (shown === undefined || shown.kind === "nothing" || !rule.asksFor(shown.kind)) {
      return { ...refusals.credentialsMissing, challenges: rule.challenges(false) };
    }
    return shown.kind === "bearer"
      ? this.#checkToken(rule, value as string)
      : this.#checkPassword(rule, shown, value as string);
  }

  /** Whether the same was right before, on this very connection: whoever learns something from the time that this takes has sent it. */
  #isAsBefore(rule: AccessRule, value: string): boolean {
    const right = this.#right;
    // A rule whose credentials have changed is another one.
    if (right === undefined || right.value !== value || right.rule !== rule) return false;
    if (right.credential.expiresAt <= this.#rules.now()) return false;
    this.#credential = right.credential;
    return true;
  }

  /** Whether the same user and password were right before. A token costs no more than that. */
  #recalled(rule: AccessRule, value: string): "right" | undefined {
    if (!rule.asksFor("basic") || /^bearer /i.test(value)) return undefined;
    const id = this.#rules.passwords.recall(this.#registration ?? "", value);
    this.#credential = id === undefined ? undefined : rule.userById(id, this.#rules.now());
    if (this.#credential === undefined) return undefined;
    this.#right = { value, rule, credential: this.#credential };
    return "right";
  }

  #checkToken(rule: AccessRule, value: string): Refusal | undefined {
    const [, token = "", id = ""] = TOKEN.exec(value) ?? [];
    const credential = rule.token(id, this.#rules.now());
    const hash = credential?.hash?.kind === "sha256" ? credential.hash : NOBODY.quick;
    if (!fitsQuick(token, hash) || credential === undefined) return wrong(rule);
    this.#credential = credential;
    this.#right = { value, rule, credential };
    return undefined;
  }

  #checkPassword(
    rule: AccessRule,
    { user, password }: Shown & { kind: "basic" },
    value: string,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    const owner = rule.user(user, this.#rules.now());
    const judge = (verdict: PasswordVerdict) => {
      if (verdict === "wrong") return wrong(rule);
      if (verdict !== "right") return { ...refusals.tooManyFailures, retryAfter: verdict.retryAfter };
      if (owner === undefined) return wrong(rule);
      this.#credential = owner;
      this.#rules.passwords.remember(this.#registration ?? "", value, owner.id);
      return undefined;
    };
    const verdict = this.#rules.passwords.check(owner?.hash, password, rule.slow, this.#address);
    if (!(verdict instanceof Promise)) return judge(verdict);
    this.#undecided = true;
    return verdict.then((late) => {
      this.#undecided = false;
      // It may have been revoked while its password was hashed.
      return judge(late) ?? (this.holds ? undefined : wrong(rule));
    });
  }

  #told(refusal: Refusal | undefined): Refusal | undefined {
    if (refusal !== undefined) {
      const id = this.#registration ?? null;
      this.#rules.onRefused({ id, code: refusal.code, address: this.#address, kind: "http" });
    }
    return refusal;
  }
}

function wrong(rule: AccessRule): Refusal {
  return { ...refusals.credentialsWrong, challenges: rule.challenges(true) };
}
