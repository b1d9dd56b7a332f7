/** What may be named as the place of a store of parts. */

/** `s3://BUCKET` or `s3://BUCKET/PREFIX`, without anything to which an address or a pattern gives a meaning. */
const S3 = /^s3:\/\/[A-Za-z0-9][A-Za-z0-9._-]+(\/[A-Za-z0-9_.=-]+)*\/?$/;

export function isS3(location: string): boolean {
  return S3.test(location);
}

/** What is wrong with the place of a store, to stand after the name of its key; undefined where nothing is. */
export function storeProblem(location: string): string | undefined {
  // One slash only is a slip of the pen, not a folder; two letters at least, since `C:/parts` is one on Windows.
  if (isS3(location) || !/^[a-z][a-z0-9+.-]+:\//i.test(location)) return undefined;
  return (
    "is neither a folder nor s3://BUCKET/PREFIX, of letters, digits and - _ . = alone. Credentials, region and endpoint are " +
    "taken from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL."
  );
}
