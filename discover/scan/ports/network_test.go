package ports_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"github.com/leeward-ctem/leeward/guard"
)

// bare is the network without a guard.
type bare struct{}

func (bare) Dial(ctx context.Context, a guard.Action) (guard.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort(a.Host, strconv.Itoa(a.Port)))
}
func (bare) Do(context.Context, *guard.Request) (*guard.Response, error) {
	return nil, errors.ErrUnsupported
}
func (bare) Lookup(context.Context, string, string) (*guard.Answer, error) {
	return nil, errors.ErrUnsupported
}
func (bare) Resolve(_ context.Context, h string) (netip.Addr, error) { return netip.ParseAddr(h) }

func network(testing.TB) guard.Network { return bare{} }
