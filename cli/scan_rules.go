package cli

import (
	"errors"
	"os"

	"github.com/leeward-ctem/leeward/discover/scan/config"
	"github.com/leeward-ctem/leeward/exposure"
)

// settings is the engine that asks the rules of a directory as well; nil when
// none is named.
func (c *scanCmd) settings() (*config.Engine, error) {
	if c.Rules == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(c.Rules)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "cannot open the rules in %s: %w", c.Rules, errors.Unwrap(err))
	}
	own, err := config.New(root.FS())
	return own, errors.Join(err, root.Close())
}
