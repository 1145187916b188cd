package policy

import "testing"

func TestPresets(t *testing.T) {
	all, err := Presets()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSet(all)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(s.Classes())
	for _, k := range s.weakness.parts {
		t.Log(k.text)
	}
	for _, k := range s.asset.parts {
		t.Log(k.text)
	}
	for _, p := range all {
		x, err := Text(p.Document())
		t.Log(x, err)
	}
}
