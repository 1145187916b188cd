package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// parseDockerfile makes a subject of the whole, and of each instruction.
func parseDockerfile(s source) (all []subject, err error) {
	it := map[string]any{"user": "", "healthcheck": false, "from": []any{}, "last_from": "", "entry": false}
	stages := map[string]bool{}
	stage, froms := "", []any{}
	heredoc := ""
	lines(s.body, func(n int, line string) {
		if heredoc != "" {
			if line == heredoc {
				heredoc = ""
			}
			return
		}
		word, rest, _ := strings.Cut(line, " ")
		word, rest = strings.ToUpper(word), strings.TrimSpace(rest)
		if word == "" || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || rest == "" {
			err = fmt.Errorf("line %d is no instruction of a Dockerfile", n)
			return
		}
		if _, mark, ok := strings.Cut(rest, "<<"); ok && (word == "RUN" || word == "COPY") {
			mark = strings.Trim(strings.TrimPrefix(mark, "-"), `"'`)
			if end := strings.IndexAny(mark, " >\"'"); end >= 0 {
				mark = mark[:end]
			}
			heredoc = mark
		}
		step := map[string]any{"name": word, "text": rest, "image": "", "known_stage": false, "key": ""}
		switch word {
		case "FROM":
			image := fromImage(rest)
			step["image"], step["known_stage"] = image, stages[strings.ToLower(image)]
			if f := strings.Fields(rest); len(f) > 2 && strings.EqualFold(f[len(f)-2], "AS") {
				stage = strings.ToLower(f[len(f)-1])
				stages[stage] = true
			}
			froms = append(froms, image)
			it["from"], it["last_from"], it["user"], it["healthcheck"], it["entry"] = froms, image, "", false, false
		case "USER":
			it["user"] = rest
		case "HEALTHCHECK":
			it["healthcheck"] = true
		case "CMD", "ENTRYPOINT":
			it["entry"] = true
			var list []string
			step["shell"] = json.Unmarshal([]byte(rest), &list) != nil
		case "ENV", "ARG":
			step["key"], _, _ = strings.Cut(rest, "=")
		}
		all = append(all, subject{kind: kindStep, resource: word, symbol: short(rest), line: n, seen: line, it: step})
	})
	if len(froms) == 0 {
		return nil, errors.Join(err, errors.New("it has no FROM"))
	}
	return append(all, subject{kind: kindDockerfile, resource: "Dockerfile", it: it}), err
}

// fromImage is the image of a FROM, without flags and the name of the stage.
func fromImage(rest string) string {
	for f := range strings.FieldsSeq(rest) {
		if !strings.HasPrefix(f, "--") {
			return f
		}
	}
	return ""
}

// short is a text as part of an identity: its white space does not matter.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return text[:min(len(text), 120)]
}

func parseCompose(s source) (all []subject, err error) {
	docs, err := documents(s.body)
	for _, d := range docs {
		services := mapOf(mapOf(d.value)["services"])
		for _, n := range sortedKeys(services) {
			service := mapOf(services[n])
			if service == nil {
				continue
			}
			it := map[string]any{"name": n, "volumes": composeVolumes(service["volumes"])}
			for k, v := range service {
				if k != "volumes" {
					it[k] = v
				}
			}
			all = append(all, subject{kind: kindCompose, resource: "service/" + n, it: it})
		}
	}
	return all, err
}

// composeVolumes brings both forms of volumes into one: source, target, read only.
func composeVolumes(v any) []any {
	all := []any{}
	for _, x := range listOf(v) {
		if m := mapOf(x); m != nil {
			all = append(all, map[string]any{"source": textOf(m["source"]), "target": textOf(m["target"]), "read_only": isYes(m["read_only"])})
			continue
		}
		p := strings.Split(textOf(x), ":")
		if len(p) < 2 {
			continue
		}
		all = append(all, map[string]any{"source": p[0], "target": p[1], "read_only": len(p) > 2 && strings.Contains(p[2], "ro")})
	}
	return all
}
