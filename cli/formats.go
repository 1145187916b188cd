package cli

import (
	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
)

type formatsCmd struct{}

// format is the contract of `formats --json`.
type format struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Docs  string `json:"docs"`
}

func (formatsCmd) Run(r *run) error {
	t := r.table("FORMAT\tREPORTS OF\tDESCRIBED AT")
	for _, reader := range builtin.Reports() {
		f := format{Name: reader.Name()}
		if d, ok := reader.(discover.Described); ok {
			f.Title, f.Docs = d.Describe()
		}
		if err := t.row(f, "%s\t%s\t%s\n", f.Name, f.Title, f.Docs); err != nil {
			return err
		}
	}
	return t.end("No format is registered.", "")
}

// formatTitles are the names of the formats for people.
func formatTitles() []string {
	var titles []string
	for _, reader := range builtin.Reports() {
		title := reader.Name()
		if d, ok := reader.(discover.Described); ok {
			title, _ = d.Describe()
		}
		titles = append(titles, title)
	}
	return titles
}
