package builtin

import (
	"slices"
	"testing"
)

// Engines are told apart by their names, and ours never run a program of others.
func TestEngines(t *testing.T) {
	t.Parallel()
	var names, formats []string
	for _, r := range Reports() {
		formats = append(formats, r.Name())
	}
	for _, e := range Engines(Means{}) {
		d := e.Describe()
		if slices.Contains(names, d.Name) {
			t.Errorf("two engines are called %s", d.Name)
		}
		names = append(names, d.Name)
		if d.Title == "" || len(d.Takes) == 0 {
			t.Errorf("%s does not describe itself", d.Name)
		}
		if d.Foreign && !slices.Contains(formats, d.Name) {
			t.Errorf("nothing reads what %s writes", d.Name)
		}
	}
	if !slices.Contains(names, "credentials") || !slices.Contains(names, "osv-scanner") {
		t.Errorf("engines are missing among %v", names)
	}
}
