package config_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/config"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
)

func file(name, text string) fstest.MapFS {
	return fstest.MapFS{name: &fstest.MapFile{Data: []byte(text), Mode: 0o640}}
}

const manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {hostPID: true}\n"

// A file that cannot be read costs itself and the coverage, never more.
func TestBroken(t *testing.T) {
	t.Parallel()
	bomb := "apiVersion: v1\nkind: Pod\na: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'i'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for name, tt := range map[string]struct{ file, text, want string }{
		"YAML":               {"a.yaml", "apiVersion: v1\nkind: [\n", "a.yaml"},
		"bomb":               {"a.yaml", bomb, "larger or deeper"},
		"circle":             {"a.yaml", "apiVersion: v1\nkind: Pod\nspec: &s {a: *s}\n", "a.yaml"},
		"deep YAML":          {"a.yaml", "apiVersion: v1\nkind: Pod\nspec: " + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000), "a.yaml"},
		"deep JSON":          {"a.tf.json", strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), "larger or deeper"},
		"JSON":               {"a.tf.json", `{"resource": `, "a.tf.json"},
		"large":              {"a.yaml", manifest + strings.Repeat("# x\n", 2<<20), "more than"},
		"many documents":     {"a.yaml", strings.Repeat("---\n"+manifest, 2_100), "documents"},
		"second document":    {"a.yaml", manifest + "---\na: [\n", "a.yaml"},
		"Dockerfile":         {"Dockerfile", "<html>\n", "a Dockerfile"},
		"no FROM":            {"Dockerfile", "RUN x\n", "no FROM"},
		"nginx":              {"nginx.conf", "http { server {", "ends within"},
		"nginx brace":        {"nginx.conf", "}", "closes nothing"},
		"deep nginx":         {"nginx.conf", strings.Repeat("a {", 5_000), "larger or deeper"},
		"apache":             {"httpd.conf", "<Directory /x>\n", "within a section"},
		"apache end":         {"httpd.conf", "</Directory>\n", "not open"},
		"accounts":           {"etc/passwd", "root\n", "seven fields"},
		"sudoers":            {"etc/sudoers", "nonsense\n", "no rule"},
		"Terraform":          {"a.tf", "resource \"a\" \"b\" {\n", "within a block"},
		"Terraform brace":    {"a.tf", "}\n", "closes nothing"},
		"Terraform text":     {"a.tf", "a = \"b\n", "not closed"},
		"Terraform list":     {"a.tf", "a = [1, 2", "a.tf"},
		"deep Terraform":     {"a.tf", "a = " + strings.Repeat("[", 50_000), "larger or deeper"},
		"deep blocks":        {"a.tf", strings.Repeat("a {\n", 5_000), "larger or deeper"},
		"heredoc":            {"a.tf", "a = <<EOF\nx\n", "does not end"},
		"workflow":           {".github/workflows/a.yml", "jobs: [\n", "a.yml"},
		"control characters": {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\x00b\"}\n", "a.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := file(tt.file, tt.text)
			files["z/Dockerfile"] = &fstest.MapFile{Data: []byte("FROM a:1\nRUN sudo x\n"), Mode: 0o640}
			start := time.Now()
			all, errs := look(t, scan.Directory, files)
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), tt.want) {
				t.Errorf("%v, want one with %q", errs, tt.want)
			}
			if !slices.Contains(scantest.Rules(all), "config/dockerfile-sudo") {
				t.Errorf("the other file was lost: %v", scantest.Rules(all))
			}
			if scantest.Covered(all, "config", "config/dockerfile-sudo", exposure.Location{}) {
				t.Error("it is covered")
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// What stands before the broken part of a file still counts.
func TestBeforeTheBreak(t *testing.T) {
	t.Parallel()
	all, errs := look(t, scan.Directory, file("a.yaml", manifest+"---\na: [\n"))
	if len(errs) != 1 || !slices.Contains(scantest.Rules(all), "config/kubernetes-host-pid") {
		t.Errorf("%v, %v", scantest.Rules(all), errs)
	}
}

// Files of other tools are none of ours, whatever is in them.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a.yaml": "a: [\n", "a.json": "{", "chart/templates/a.yaml": "apiVersion: v1\nkind: Pod\nspec: {{ .Values.x }}\n", "b.yaml": "apiVersion: v1\nkind: Pod\n{{- if .Values.x }}\n[\n{{- end }}\n",
		"node_modules/x/Dockerfile": "FROM a\n", ".git/config": "x", "README.md": "FROM a\n", "app.conf": "}", "Dockerfile.dockerignore": "*",
	} {
		all, errs := look(t, scan.Directory, file(name, text))
		if len(errs) > 0 || len(all) != 1 {
			t.Errorf("%s: %+v, %v", name, all, errs)
		}
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	if _, errs := look(t, scan.Directory, nil); len(errs) != 1 || exposure.KindOf(errs[0]) != exposure.Invalid {
		t.Errorf("no files: %v", errs)
	}
	dir := t.TempDir()
	if err := errors.Join(os.Symlink(".", filepath.Join(dir, "loop")), os.Symlink("/etc/passwd", filepath.Join(dir, "Dockerfile")),
		os.WriteFile(filepath.Join(dir, "a\x1b[31m\u202e.yaml"), []byte(manifest), 0o640)); err != nil {
		t.Fatal(err)
	}
	all, errs := look(t, scan.Directory, os.DirFS(dir))
	if len(errs) > 0 || !slices.Contains(scantest.Rules(all), "config/kubernetes-host-pid") {
		t.Errorf("%v, %v", scantest.Rules(all), errs)
	}
	for _, o := range all {
		if strings.ContainsAny(o.Location.File, "\x1b\u202e") {
			t.Errorf("the name of a file deceives: %q", o.Location.File)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, errs := scantest.RunContext(t, ctx, config.Shipped{}, scan.Job{Target: scan.Target{Files: file("a.yaml", manifest)}}); len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("cancelled: %v", errs)
	}
}

// places are where weaknesses are, as identity sees them.
func places(all []exposure.Observation, rule string) (keys []string) {
	for i := range all {
		if o := &all[i]; o.Rule == "config/"+rule {
			keys = append(keys, o.Location.Key(""))
		}
	}
	slices.Sort(keys)
	return keys
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file, text, rule string
		want             []string
	}{
		"all workloads": {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: n}\nspec: {hostPID: true}\n---\n# empty\n---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: b}\nspec: {template: {spec: {hostPID: true}}}\n---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec: {jobTemplate: {spec: {template: {spec: {hostPID: true}}}}}\n",
			"kubernetes-host-pid", []string{"file:a.yaml|res:CronJob/c", "file:a.yaml|res:DaemonSet/b", "file:a.yaml|res:Pod/n/a"}},
		"list": {"a.json", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"hostPID":true}}]}`, "kubernetes-host-pid", []string{"file:a.json|res:Pod/a"}},
		"init containers": {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: x, image: 'a:1', securityContext: {privileged: true}}]\n  initContainers: [{name: y, image: 'a:1', securityContext: {privileged: true}}]\n",
			"kubernetes-privileged", []string{"file:a.yaml|sym:x|res:Pod/a", "file:a.yaml|sym:y|res:Pod/a"}},
		"what the pod says":   {"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  securityContext: {runAsNonRoot: true}\n  containers: [{name: x, image: 'a:1'}, {name: y, image: 'a:1', securityContext: {runAsNonRoot: false}}]\n", "kubernetes-run-as-root", []string{"file:a.yaml|sym:y|res:Pod/a"}},
		"plan":                {"plan.json", `{"planned_values":{"root_module":{"child_modules":[{"resources":[{"mode":"managed","type":"aws_s3_bucket","name":"b","address":"module.m.aws_s3_bucket.b","values":{"acl":"public-read"}}]}]}}}`, "terraform-aws-public-bucket", []string{"file:plan.json|res:module.m.aws_s3_bucket.b"}},
		"policy in Terraform": {"a.tf.json", `{"resource":{"aws_iam_policy":{"p":{"policy":"{\"Statement\":[{\"Sid\":\"All\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}}}}`, "iam-admin", []string{"file:a.tf.json|sym:All|res:aws_iam_policy.p"}},
		"policy in template":  {"a.yaml", "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      Policies:\n        - PolicyDocument:\n            Statement: {Effect: Allow, Action: '*', Resource: !Sub '*'}\n", "iam-admin", []string{"file:a.yaml|sym:Allow * on *|res:AWS::IAM::Role/R"}},
		"stages":              {"Dockerfile", "FROM go:1.26 AS build\nRUN x\nFROM build\nUSER app\nENTRYPOINT [\"a\"]\nHEALTHCHECK NONE\n", "dockerfile-latest-tag", nil},
		"heredoc":             {"Dockerfile", "FROM a:1\nRUN <<EOF\nthis is, no instruction\nEOF\nRUN sudo x\n", "dockerfile-sudo", []string{"file:Dockerfile|sym:sudo x|res:RUN"}},
		"workflow call":       {".github/workflows/a.yml", "on: push\npermissions: {}\njobs:\n  a:\n    uses: o/r/.github/workflows/b.yml@main\n", "workflow-unpinned-action", []string{"file:.github/workflows/a.yml|sym:o/r/.github/workflows/b.yml@main|res:a"}},
		"Terraform": {"a.tf", "# a\nvariable \"x\" {}\nresource \"aws_security_group\" \"g\" {\n  description = <<-EOT\n    } text {\n  EOT\n  dynamic \"ingress\" {\n    for_each = var.x\n    content {\n      from_port   = 22 // ssh\n      to_port     = 22\n      protocol    = \"tcp\"\n      cidr_blocks = [\"0.0.0.0/0\",]\n    }\n  }\n  tags = merge(var.tags, { Name = \"a-${var.x[\"y\"]}\" })\n}\n",
			"terraform-aws-open-admin-port", []string{"file:a.tf|res:aws_security_group.g"}},
		"Terraform in one line": {"a.tf", "resource \"aws_db_instance\" \"d\" { publicly_accessible = true }\nresource \"aws_db_instance\" \"e\" { publicly_accessible = false }", "terraform-aws-database-public", []string{"file:a.tf|res:aws_db_instance.d"}},
		"unknown in Terraform":  {"a.tf", "resource \"aws_db_instance\" \"d\" {\n  storage_encrypted = var.encrypted\n}\nresource \"aws_db_instance\" \"e\" {\n  storage_encrypted = !true ? false : true\n}\nresource \"aws_db_instance\" \"f\" {\n}\n", "terraform-aws-database-plain", []string{"file:a.tf|res:aws_db_instance.f"}},
		"policy in a heredoc":   {"a.tf", "resource \"aws_iam_policy\" \"p\" {\n  policy = <<EOF\n{\"Statement\":[{\"Sid\":\"A\",\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}\nEOF\n}\n", "iam-admin", []string{"file:a.tf|sym:A|res:aws_iam_policy.p"}},
		"references":            {"a.yaml", "Resources:\n  A: {Type: 'AWS::RDS::DBInstance', Properties: {PubliclyAccessible: !Ref P, StorageEncrypted: !If [a, true, false], MasterUserPassword: !Ref Password}}\n  B: {Type: 'AWS::RDS::DBInstance', Properties: {StorageEncrypted: {'Fn::If': [a, true, false]}}}\n  C: {Type: 'AWS::RDS::DBInstance', Properties: {StorageEncrypted: false}}\n", "cloudformation-database-plain", []string{"file:a.yaml|res:AWS::RDS::DBInstance/C"}},
		"variables of Compose":  {"compose.yml", "services:\n  a: {image: 'a:1', privileged: '${P}'}\n", "compose-privileged", nil},
		"match blocks":          {"etc/ssh/sshd_config", "PermitRootLogin no\nMatch User x\nPermitRootLogin yes\n", "sshd-root-login", nil},
		"first value":           {"etc/ssh/sshd_config", "PermitRootLogin yes\nPermitRootLogin no\n", "sshd-root-login", []string{"file:etc/ssh/sshd_config|res:sshd"}},
		"merge keys":            {"docker-compose.yml", "x: &x {privileged: true}\nservices:\n  a: {<<: *x, image: 'a:1'}\n  b: {<<: *x, privileged: false, image: 'a:1'}\n", "compose-privileged", []string{"file:docker-compose.yml|res:service/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, errs := look(t, scan.Directory, file(tt.file, tt.text))
			if diff := cmp.Diff(tt.want, places(all, tt.rule)); diff != "" || len(errs) > 0 {
				t.Errorf("%s%v", diff, errs)
			}
		})
	}
}

// Includes of sshd_config are followed within the tree, and the first value holds.
func TestIncludes(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"img/etc/ssh/sshd_config":          &fstest.MapFile{Data: []byte("Include /etc/ssh/sshd_config.d/*.conf\nInclude ../../../../etc/shadow\nPermitRootLogin no\n"), Mode: 0o600},
		"img/etc/ssh/sshd_config.d/a.conf": &fstest.MapFile{Data: []byte("PermitRootLogin yes\n"), Mode: 0o600},
	}
	all, errs := look(t, scan.Directory, files)
	if diff := cmp.Diff([]string{"file:img/etc/ssh/sshd_config|res:sshd"}, places(all, "sshd-root-login")); diff != "" || len(errs) > 0 {
		t.Errorf("%s%v", diff, errs)
	}
	files["img/etc/ssh/sshd_config.d/a.conf"].Data = []byte("Include /etc/ssh/sshd_config.d/*.conf\n")
	if _, errs := look(t, scan.Directory, files); len(errs) != 1 || !strings.Contains(errs[0].Error(), "includes") {
		t.Errorf("a circle: %v", errs)
	}
}

// Evidence holds no secret of the file.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	all, _ := look(t, scan.Directory, file("Dockerfile", "FROM a:1\nENV DB_PASSWORD=tr0ub4dor3\nRUN sudo mysql --password=tr0ub4dor3\n"))
	if len(all) < 3 {
		t.Fatalf("%+v", all)
	}
	for _, o := range all {
		if strings.Contains(fmt.Sprintf("%+v", o), "tr0ub4dor3") {
			t.Errorf("%+v", o)
		}
	}
}

const ownRule = `- id: own
  title: Our own
  severity: low
  applies: dockerfile
  when: "it.user == 'web'"
  why: Because.
  fix: Do.
`

func TestOwnRules(t *testing.T) {
	t.Parallel()
	e, err := config.New(file("own.yaml", ownRule))
	if err != nil {
		t.Fatal(err)
	}
	all, errs := scantest.Run(t, e, scan.Job{Target: scan.Target{Files: file("Dockerfile", "FROM a:1\nUSER web\n")}})
	if !slices.Contains(scantest.Rules(all), "config/own") || len(errs) > 0 {
		t.Errorf("%v, %v", scantest.Rules(all), errs)
	}
	for name, tt := range map[string]struct{ from, to, want string }{
		"id":         {"id: own", "id: Own Rule", "small letters"},
		"twice":      {"id: own", "id: sshd-root-login", "two rules"},
		"severity":   {"low", "awful", "severity is"},
		"kind":       {"dockerfile", "toaster", "use one of"},
		"title":      {"title: Our own", "title: ''", "title"},
		"why":        {"Because.", "''", "why"},
		"expression": {"it.user == 'web'", "it.user ==", "when"},
		"type":       {"it.user == 'web'", "'text'", "true or false"},
		"unknown":    {"when:", "whenn:", "whenn"},
		"long":       {"'web'", "'" + strings.Repeat("x", 3_000) + "'", "at most"},
		"nested":     {"it.user == 'web'", "[1].all(a, [1].all(b, [1].all(c, true)))", "when"},
		"map":        {"it.user == 'web'", "[1].map(a, a).size() == 1", "when"},
		"empty":      {ownRule, "-\n", "empty"},
	} {
		if _, err := config.New(file("own.yaml", strings.Replace(ownRule, tt.from, tt.to, 1))); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "own.yaml") {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// A rule that costs too much, or fails, is told and takes the coverage.
func TestRuleFails(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"it.nothing == 'x'", "list(it.from).exists(a, list(it.from).exists(b, a + b + a + b == 'x'))", "it.user"} {
		e, err := config.New(file("own.yaml", strings.Replace(ownRule, "it.user == 'web'", when, 1)))
		if err != nil {
			t.Fatal(when, err)
		}
		all, errs := scantest.Run(t, e, scan.Job{Target: scan.Target{Files: file("Dockerfile", strings.Repeat("FROM a:1\n", 400))}})
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), "rule own") || scantest.Covered(all, "config", "config/own", exposure.Location{}) {
			t.Errorf("%s: %v", when, errs)
		}
	}
}

// Whatever a file holds, its parser ends, and the rules can be asked.
func FuzzParsers(f *testing.F) {
	names := []string{"etc/ssh/sshd_config", "etc/passwd", "etc/login.defs", "etc/sudoers", "etc/sysctl.conf", "Dockerfile", "nginx.conf", "httpd.conf", ".github/workflows/a.yml", "compose.yml", "a.yaml", "a.tf.json", "a.json", "a.tf"}
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for i, path := range archives {
		body, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if i%2 == 0 {
			_, text, _ := strings.Cut(string(body), " --\n")
			f.Add(uint8(i), text)
		}
	}
	f.Add(uint8(6), "http { server { location /x { a \"${b}\" ; } } }")
	f.Add(uint8(10), "apiVersion: v1\nkind: Pod\nspec: &s {containers: [*s, 1, {name: 2, env: 3}], volumes: x}")
	f.Add(uint8(13), "resource \"aws_db_instance\" \"d\" {\n  a = [1, {b = \"c-${d}\"}, <<EOF\nx\nEOF\n, for x in y : z]\n  dynamic \"ingress\" {\n content { x = -1 }\n }\n}")
	f.Add(uint8(11), `{"resource":{"aws_security_group":{"x":{"ingress":[1,{"cidr_blocks":3}]}}}}`)
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		name := names[int(which)%len(names)]
		_, errs := look(t, scan.Directory, file(name, text))
		for _, err := range errs {
			if strings.Contains(err.Error(), "could not be asked") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
