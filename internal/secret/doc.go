// Package secret takes secrets out of texts that strangers wrote, before they
// are stored, logged or exported. [Text] is the entrance for that: it also removes
// what a terminal or a reader could be deceived with, makes valid UTF-8 and
// caps the length. [Find] tells where secrets are, for those who look for them.
//
//	secret.Text("GET /?token=s3cr3t HTTP/1.1\r\nCookie: sid=81f0c2", 0)
//	// GET /?token=[redacted:token] HTTP/1.1
//	// Cookie: sid=[redacted:cookie]
//
// # What takes a secret's place
//
// A marker such as [redacted:aws-key]. It names the kind and nothing else: no
// first or last characters, no length and no digest, because short secrets can
// be guessed from any of them. The text around it stays, so that evidence can
// still be read: names of parameters and cookies, the scheme of an
// Authorization header, the user of a URL, the id of a hash ($6$), the "eyJ"
// that begins a JWT, the first and last line of a private key. The kinds are
// listed in marker.go. They are part of what is stored, so a kind is never
// renamed.
//
// # What is found
//
//   - by its place: headers (Authorization, Cookie, Set-Cookie, X-Api-Key and
//     the like), user and password in URLs, and the values of names that end in a
//     word for a secret, as query, form, multipart, JSON, XML, YAML, .env,
//     command line, connection string or code;
//   - by its form: keys of AWS, tokens of GitHub, GitLab, Slack, Stripe, Google,
//     OpenAI, npm, PyPI and others with a fixed prefix, JWTs, private keys in
//     PEM, also when they are cut short, and the hashes of /etc/shadow.
//
// # What is not found
//
// This is a net and not a proof. It does not find a secret without a known name
// or form: a random string in a sentence, a password after "password is" or a
// one-letter flag, in a list without names, or spread over lines; names in most
// other languages; what is encoded once more (base64 of a header,
// percent-encoding of a whole URL, compressed or encrypted text); all words of
// an unquoted pass phrase but the first. Words without digits or symbols are
// taken for prose after a colon in the middle of a sentence ("Default password:
// admin"). Variables and placeholders ($PASSWORD, {{ .Token }}, <token>, ****)
// stay. Personal data is not its subject.
//
// In doubt a value with a secret's name is removed. What has no such name and
// no such form stays untouched: ids of advisories, digests, UUIDs, versions,
// paths, prose.
//
// Text is linear in its input but for a small factor: what was changed is looked
// at again, at most a fixed number of times. It never panics and has no state.
package secret
