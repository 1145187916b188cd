package cli

import (
	"errors"
	"os"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/config"
	"github.com/leeward-ctem/leeward/exposure"
)

// look are the engines of the registry. The one for settings asks the rules of a
// directory as well, when there is one.
func (c *scanCmd) look() ([]scan.Engine, error) {
	all := builtin.Engines()
	if c.Rules == "" {
		return all, nil
	}
	root, err := os.OpenRoot(c.Rules)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "cannot open the rules in %s: %w", c.Rules, errors.Unwrap(err))
	}
	own, err := config.New(root.FS())
	if err := errors.Join(err, root.Close()); err != nil {
		return nil, err
	}
	for i, e := range all {
		if e.Describe().Name == own.Describe().Name {
			all[i] = own
		}
	}
	return all, nil
}
