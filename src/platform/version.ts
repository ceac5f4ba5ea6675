import manifest from "../../package.json" with { type: "json" };

/** The version of this petit, as in package.json. */
export const version: string = manifest.version;

/** What follows "SSH-2.0-" in the identification string (RFC 4253, section 4.2). */
export const sshSoftware = `petit_${version.replaceAll("-", "_")}`;
