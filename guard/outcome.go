package guard

import (
	"errors"
	"syscall"
)

// The numbers that Windows has for the errors below.
const (
	wsaRefused    = syscall.Errno(10061)
	wsaNoSockets  = syscall.Errno(10024)
	wsaNoBuffers  = syscall.Errno(10055)
	wsaNoneToTake = syscall.Errno(10048)
)

// Closed reports whether the error of Dial says that the host itself answered,
// and that nobody listens at the port.
func Closed(err error) bool {
	return is(err, syscall.ECONNREFUSED, wsaRefused)
}

// Exhausted reports whether the error of Dial says that this machine has no
// sockets left, so that it says nothing of the target.
func Exhausted(err error) bool {
	return is(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, wsaNoSockets, wsaNoBuffers, wsaNoneToTake)
}

func is(err error, numbers ...syscall.Errno) bool {
	var n syscall.Errno
	if !errors.As(err, &n) {
		return false
	}
	for _, m := range numbers {
		if n == m {
			return true
		}
	}
	return false
}
