package testkit_test

import (
	"bytes"
	"testing"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit"
)

// Each report is recognised, holds as many findings as were asked for, and is
// the same for the same estate.
func TestReports(t *testing.T) {
	t.Parallel()
	e := testkit.Estate{Findings: 1000, Seed: 3}
	for name, write := range testkit.Reports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var one, two bytes.Buffer
			if err := write(&one, e); err != nil {
				t.Fatal(err)
			}
			if err := write(&two, e); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
				t.Fatalf("another report of the same estate, %v", err)
			}
			for _, r := range builtin.Reports() {
				if !r.Sniff(decode.NewHead(one.Bytes()[:min(one.Len(), 64<<10)])) {
					continue
				}
				if r.Name() != name {
					t.Fatalf("%s takes it for its own", r.Name())
				}
				n := 0
				for o, err := range r.Read(t.Context(), bytes.NewReader(one.Bytes())) {
					if err != nil {
						t.Fatal(err)
					}
					if o.Kind == exposure.ObservedWeakness {
						n++
					}
				}
				if n != e.Findings {
					t.Errorf("%d findings, want %d", n, e.Findings)
				}
				return
			}
			t.Error("it is recognised by nobody")
		})
	}
}

// BenchmarkReaders is how fast reports are decoded, on one core.
func BenchmarkReaders(b *testing.B) {
	for name, write := range testkit.Reports() {
		var in bytes.Buffer
		if err := write(&in, testkit.Estate{Findings: 20_000, Seed: 3}); err != nil {
			b.Fatal(err)
		}
		for _, r := range builtin.Reports() {
			if r.Name() != name {
				continue
			}
			b.Run(name, func(b *testing.B) {
				b.SetBytes(int64(in.Len()))
				for b.Loop() {
					for _, err := range r.Read(b.Context(), bytes.NewReader(in.Bytes())) {
						if err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}
