/** Keeps keys of services out of what is shown or passed on. */

const SECRET_KEY =
  /(^|[-_.])(api[-_]?key|secret|password|passwd|authorization|cookie)$|api[-_]?key$|(access|auth|bearer|api)[-_]?token$/i;
const ADDRESS_LOGIN = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** A copy of a configuration without the values of keys that name a secret, and without logins in addresses. */
export function withoutSecrets(value: unknown, key = ""): unknown {
  if (SECRET_KEY.test(key)) return "(left out)";
  if (typeof value === "string") return value.replace(ADDRESS_LOGIN, "$1(left out)@");
  if (Array.isArray(value)) return value.map((each) => withoutSecrets(each));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, withoutSecrets(each, name)]),
    );
  }
  return value;
}
