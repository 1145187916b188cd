package config

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
)

// The kinds of subject.
const (
	kindSSHD       = "sshd"
	kindAccount    = "account"
	kindLogin      = "login-defs"
	kindMode       = "file-mode"
	kindSudo       = "sudoers"
	kindSysctl     = "sysctl"
	kindDockerfile = "dockerfile"
	kindStep       = "dockerfile-instruction"
	kindCompose    = "compose-service"
	kindPod        = "kubernetes-pod"
	kindContainer  = "kubernetes-container"
	kindObject     = "kubernetes-object"
	kindNginx      = "nginx-server"
	kindApache     = "apache"
	kindTerraform  = "terraform-resource"
	kindFormation  = "cloudformation-resource"
	kindStatement  = "iam-statement"
	kindWorkflow   = "workflow"
	kindJobStep    = "workflow-step"
)

var kinds = []string{
	kindSSHD, kindAccount, kindLogin, kindMode, kindSudo, kindSysctl, kindDockerfile, kindStep, kindCompose, kindPod, kindContainer, kindObject,
	kindNginx, kindApache, kindTerraform, kindFormation, kindStatement, kindWorkflow, kindJobStep,
}

// source is a file that is parsed, with those beside it.
type source struct {
	files fs.FS
	file  string
	body  []byte
}

// parser makes subjects of a file. What it could not read is the error; the
// subjects before it count.
type parser func(source) ([]subject, error)

// parserOf tells by its path what a file is; nil when it is none of ours.
func parserOf(file string) parser {
	base := strings.ToLower(path.Base(file))
	dir := "/" + strings.ToLower(path.Dir(file)) + "/"
	ext := path.Ext(base)
	switch {
	case base == "sshd_config":
		return parseSSHD
	case base == "passwd" && strings.HasSuffix(dir, "/etc/"):
		return parseAccounts
	case base == "login.defs":
		return parseLogin
	case base == "sudoers", strings.HasSuffix(dir, "/sudoers.d/") && !strings.ContainsAny(base, ".~"):
		return parseSudoers
	case base == "sysctl.conf", strings.HasSuffix(dir, "/sysctl.d/") && ext == ".conf":
		return parseSysctl
	case base == "dockerfile", base == "containerfile", strings.HasPrefix(base, "dockerfile.") && ext != ".dockerignore", ext == ".dockerfile":
		return parseDockerfile
	case base == "nginx.conf", ext == ".conf" && (strings.Contains(dir, "/nginx/") || strings.Contains(dir, "/conf.d/") && strings.Contains(dir, "nginx")), strings.Contains(dir, "/nginx/sites-"):
		return parseNginx
	case base == "httpd.conf", base == "apache2.conf", base == "ssl.conf", ext == ".conf" && (strings.Contains(dir, "/apache2/") || strings.Contains(dir, "/httpd/")):
		return parseApache
	case (ext == ".yml" || ext == ".yaml") && strings.Contains(dir, "/.github/workflows/"):
		return parseWorkflow
	case (ext == ".yml" || ext == ".yaml") && (strings.HasPrefix(base, "docker-compose") || strings.HasPrefix(base, "compose.") || strings.HasPrefix(base, "compose-")):
		return parseCompose
	case ext == ".yml" || ext == ".yaml" || ext == ".template":
		return parseYAML
	case ext == ".tf":
		return parseTerraform
	case ext == ".json":
		return parseJSON
	}
	return nil
}

// lines calls f with the lines of settings that use # for comments and \ at the
// end for going on.
func lines(body []byte, f func(n int, line string)) {
	n, start := 0, 0
	var held strings.Builder
	for raw := range bytes.Lines(body) {
		n++
		line := strings.TrimSpace(string(raw))
		if held.Len() == 0 {
			start = n
			if line == "" || line[0] == '#' {
				continue
			}
		}
		if rest, more := strings.CutSuffix(line, `\`); more {
			held.WriteString(rest + " ")
			continue
		}
		held.WriteString(line)
		f(start, held.String())
		held.Reset()
	}
	if held.Len() > 0 {
		f(start, held.String())
	}
}

// anyOf turns strings into a list of a document.
func anyOf(all []string) []any {
	out := make([]any, len(all))
	for i, s := range all {
		out[i] = s
	}
	return out
}
