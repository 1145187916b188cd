package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the release build with -ldflags -X.
var version = "dev"

type versionCmd struct{}

func (versionCmd) Run(r *run) error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				revision = " " + s.Value[:12]
			}
		}
	}
	_, err := fmt.Fprintf(r.Out, "leeward %s%s %s %s/%s\n", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
