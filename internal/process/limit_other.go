//go:build !linux

package process

import "os/exec"

func startLimited(command func() *exec.Cmd, _ Limits) (*exec.Cmd, error) {
	cmd := command()
	cmd.SysProcAttr = ownGroup()
	return cmd, cmd.Start()
}
