package scope

import (
	_ "embed"
	"slices"
)

//go:embed template.yaml
var template []byte

// Template is a programme to begin with: it names one scope with every asset
// in it, and holds an example of everything else as comments.
func Template() []byte { return slices.Clone(template) }
