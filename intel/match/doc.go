// Package match tells which advisories are about a version of a package. It
// holds what an OSV advisory says of one package ([Affected]), orders versions
// by the rules of each ecosystem, and finds the advisories of a package in
// [Matcher], by the evaluation that
// https://ossf.github.io/osv-schema/#evaluation describes.
//
// Nothing is ever taken for "not affected" because it could not be compared: a
// version, or a range, that cannot be read makes the answer [Unknown].
//
//	b := match.NewBuilder("Go")
//	b.Add("GO-2024-0001", nil, &affected)
//	hits := b.Matcher().Match("example.com/mod", "v1.2.3")
package match
