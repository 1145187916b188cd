// Package term reads the words that scanners use, for all report formats alike:
// severities, states, dates, names of advisories and weaknesses, CVSS vectors
// and endpoints. What is no such word is read as nothing said, never guessed.
package term
