package ports_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

func network(t testing.TB) guard.Network { return guardtest.Loopback(t) }
