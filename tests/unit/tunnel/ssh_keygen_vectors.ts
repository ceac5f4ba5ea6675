/** Keys made by ssh-keygen for these tests, with what `ssh-keygen -l` prints for them. They open nothing. */
export const VECTORS = [
  {
    name: "ed25519",
    privatePem: `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACC+hdAV03kIM2vHBmdVXhC9rDX/ulKssnHwnTwOlQgy+wAAAJBoXe1vaF3t
bwAAAAtzc2gtZWQyNTUxOQAAACC+hdAV03kIM2vHBmdVXhC9rDX/ulKssnHwnTwOlQgy+w
AAAEDJJ57YmadMed44Bp2G9oNJ0FrOQ0zcMSPDQwhjaNquBr6F0BXTeQgza8cGZ1VeEL2s
Nf+6UqyycfCdPA6VCDL7AAAABnZlY3RvcgECAwQFBgc=
-----END OPENSSH PRIVATE KEY-----
`,
    line: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL6F0BXTeQgza8cGZ1VeEL2sNf+6UqyycfCdPA6VCDL7",
    fingerprint: "SHA256:3b90XDunjOl0d9Ase3KRE6ddlu76IxLl9XzKY4Pe+I8",
  },
  {
    name: "ECDSA",
    line: "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBHG02SdhFXPOp3X8mCMO+7OttfC" +
      "59cyZxsKzYj6sTUrjXmfZvxgX6u90/lffgN+o0vNYGe8Z3F6vcxRJBgyx1A=",
    fingerprint: "SHA256:wfgpWCkx6Kfcb5b3XYcEa47eZ9FTkBIVrrtoB93qAmA",
  },
  {
    name: "RSA",
    line: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDnjVPInYXiH3QsW3lcnPD/feAWpk+K/bXAGlejamLjXaY5L+GVVqYyD3xRdgEA" +
      "p4COO5sZL58bm6W45O7SezNQVny4tzXzDKqBL8g7hjKeEbHM5kwF997Mf1mvP1Uv3BN2pqpbcpXn4f1gVpTlvKbFaX7eBhLUpfaI" +
      "HZnQsZqujvNwQq0UZcoZVnbBr0LpwIBs9bHF0N441HfaRJW5uI1QAm208XVmItldNOwIDW/mu6724MPui7sA5oyibm08jiSTmIEm" +
      "RIt9jdW4cZlVpkErMTFShojYg4aEQOYBlkhxAfC+mNfG/B6cS5TV455MhMMmkVlunHzcrsP9AIV85XHL",
    fingerprint: "SHA256:euxQxbGgrurvn67+LPfHr7HfjXFxI4SEvfVJ6YktPSw",
  },
] as const;

/** A private key that is encrypted with a passphrase. */
export const ENCRYPTED_KEY = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABCxm3MFYk
kKVKMx6/Y2S4kxAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAILNk7ftTM6rbZV8T
0UJ0+p1rzUmI9lH2Nw/ejWgzPWCPAAAAkB6NF5O89RHOq57Y1ueOBUNz58UToFSN0BtCkS
RnirhjKtMe73mKAvnOA9BsHnfIFtatYOB3qB1FUJdZxlv0+IY+iIR5ufWwuMqKWaiBIlY2
EGSwCjPik23vPYGR7bbwalLs0R1eOUuUYpa2CVW95KJ77P/1JIBKzuL6uhu6ZRQhasUlkw
gWLannoyrsHRCnLw==
-----END OPENSSH PRIVATE KEY-----
`;
