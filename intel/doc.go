// Package intel is the third stage of the loop: what the world knows of
// weaknesses, fetched from many feeds, verified, kept, and merged into one
// snapshot that the import and the risk model ask.
package intel
