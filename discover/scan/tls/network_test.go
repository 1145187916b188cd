package tls_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"

	"github.com/leeward-ctem/leeward/guard"
)

// named is a network in which every name is an address of loopback, so that
// certificates of names can be shown.
type named struct{}

func (named) Dial(ctx context.Context, a guard.Action) (guard.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port)))
}

func (named) Do(context.Context, *guard.Request) (*guard.Response, error) {
	return nil, errors.ErrUnsupported
}

func (named) Lookup(context.Context, string, string) (*guard.Answer, error) {
	return nil, errors.ErrUnsupported
}

func (named) Resolve(_ context.Context, host string) (netip.Addr, error) {
	if host == "public.example.com" {
		return netip.AddrFrom4([4]byte{203, 0, 113, 7}), nil
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
}
