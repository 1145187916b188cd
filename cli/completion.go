package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/leeward-ctem/leeward/exposure"
)

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Run prints a script that completes commands and flags. It is made from the
// same declarations as the help, so it cannot fall behind.
func (c *completionCmd) Run(r *run, k *kong.Kong) error {
	paths := map[string][]string{} // command → what may follow
	var order []string
	var walk func(n *kong.Node, path string)
	walk = func(n *kong.Node, path string) {
		order = append(order, path)
		for _, child := range n.Children {
			if child.Type == kong.CommandNode && !child.Hidden {
				paths[path] = append(paths[path], child.Name)
				walk(child, strings.TrimSpace(path+" "+child.Name))
			}
		}
		for _, f := range n.Flags {
			paths[path] = append(paths[path], "--"+f.Name)
		}
	}
	walk(k.Model.Node, "")
	for _, f := range k.Model.Flags {
		for _, path := range order[1:] {
			paths[path] = append(paths[path], "--"+f.Name)
		}
	}
	fields := make([]string, 0, len(exposure.Fields()))
	for _, f := range exposure.Fields() {
		fields = append(fields, f.Names[0]+":")
	}
	for _, path := range []string{"findings", "remediations", "export findings", "triage", "claim", "assign", "exceptions request", "verdict", "views save"} {
		paths[path] = append(paths[path], fields...)
	}
	var b strings.Builder
	for _, path := range order {
		fmt.Fprintf(&b, "    %q) words=%q ;;\n", path, strings.Join(paths[path], " "))
	}
	switch c.Shell {
	case "bash", "zsh":
		if c.Shell == "zsh" {
			fmt.Fprintln(r.Out, "#compdef leeward\nautoload -U +X bashcompinit && bashcompinit")
		}
		fmt.Fprintf(r.Out, bashCompletion, b.String())
	case "fish":
		fmt.Fprintln(r.Out, "complete -c leeward -e")
		for _, path := range order {
			condition := "__fish_use_subcommand"
			if path != "" {
				words := strings.Fields(path)
				condition = "__fish_seen_subcommand_from " + words[len(words)-1]
			}
			for _, w := range paths[path] {
				if flag, ok := strings.CutPrefix(w, "--"); ok {
					fmt.Fprintf(r.Out, "complete -c leeward -n %q -l %s\n", condition, flag)
				} else {
					fmt.Fprintf(r.Out, "complete -c leeward -n %q -a %q\n", condition, w)
				}
			}
		}
	}
	return nil
}

const bashCompletion = `_leeward() {
  local path="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
    -*) ;;
    exceptions|export|feeds|views) path="${COMP_WORDS[i]}" ;;
    *) case "$path" in
       ""|exceptions|export|feeds|views) path="${path:+$path }${COMP_WORDS[i]}" ;;
       esac ;;
    esac
  done
  case "$path" in
%s  esac
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o nospace -F _leeward leeward
`
