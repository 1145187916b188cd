package cli

import (
	"testing"
)

// Who was shown the fixes of a moment ago hears when they are grouped anew.
func TestFixesThatLagBehind(t *testing.T) {
	t.Parallel()
	h, ctx := openHouse(t, ""), t.Context()
	h.few = 1 // from two findings on, it is as if there were very many
	var heard []string
	h.publish = func(kind string, _ any) { heard = append(heard, kind) }
	h.report("first", runLine("alpha", 1), weak("alpha", "a.example", "CVE-2026-1"), covers("alpha", "a.example"))
	if all, err := h.Remediations(ctx, ""); err != nil || len(all) != 1 {
		t.Fatalf("%d fixes, %v", len(all), err)
	}
	h.report("second", runLine("alpha", 2), weak("alpha", "a.example", "CVE-2026-1"), weak("alpha", "b.example", "CVE-2026-1"), covers("alpha", "a.example"))

	heard = nil
	c := &h.grouped
	c.mu.Lock()
	c.running, c.took = make(chan struct{}), 2*patience // as if the grouping ran, slowly
	c.mu.Unlock()
	all, err := h.Remediations(ctx, "")
	if err != nil || len(all) != 1 || all[0].Findings != 1 {
		t.Fatalf("while it runs: %+v, %v", all, err)
	}
	h.regroup(ctx, h.ix.View())
	if len(heard) != 1 || heard[0] != "grouped" {
		t.Errorf("heard %q", heard)
	}
	all, err = h.Remediations(ctx, "")
	found := 0
	for _, f := range all {
		found += f.Findings
	}
	if err != nil || found != 2 {
		t.Errorf("afterwards the fixes close %d findings, %v", found, err)
	}
}
