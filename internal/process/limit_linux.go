package process

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// niceness leaves the processor to what people wait for.
const niceness = 10

// startLimited starts a program that has its limits before its first
// instruction: it is traced until it is loaded, and let go then. Where tracing
// is forbidden the limits come a moment after the start.
func startLimited(command func() *exec.Cmd, l Limits) (*exec.Cmd, error) {
	runtime.LockOSThread() // whose children may be traced
	defer runtime.UnlockOSThread()
	cmd := command()
	cmd.SysProcAttr = ownGroup()
	cmd.SysProcAttr.Ptrace = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL // when we are killed ourselves
	err := cmd.Start()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		cmd = command()
		cmd.SysProcAttr = ownGroup()
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
		if err = cmd.Start(); err == nil {
			limit(cmd.Process.Pid, l)
		}
		return cmd, err
	} else if err != nil {
		return nil, err
	}
	pid := cmd.Process.Pid
	for {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, 0, nil); err == nil {
			break
		} else if !errors.Is(err, syscall.EINTR) {
			killGroup(cmd.Process)
			return nil, errors.Join(err, cmd.Wait())
		}
	}
	limit(pid, l)
	if err := syscall.PtraceDetach(pid); err != nil {
		killGroup(cmd.Process)
		return nil, errors.Join(err, cmd.Wait())
	}
	return cmd, nil
}

// limit bounds a process and what it will start. Memory is counted as data,
// not as addresses: programs in Go and Java reserve far more than they use.
func limit(pid int, l Limits) {
	set := func(what int, n uint64) { _ = unix.Prlimit(pid, what, &unix.Rlimit{Cur: n, Max: n}, nil) }
	set(unix.RLIMIT_DATA, l.Memory)
	set(unix.RLIMIT_CPU, uint64(max(1, l.CPU/time.Second)))
	set(unix.RLIMIT_FSIZE, l.File)
	set(unix.RLIMIT_CORE, 0)
	_ = syscall.Setpriority(syscall.PRIO_PGRP, pid, niceness)
}
