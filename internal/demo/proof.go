package demo

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// has lists the products on an asset.
func (w *world) has(a *asset) (all []*product) {
	for _, key := range strings.Fields(a.has) {
		all = append(all, w.products[key])
	}
	return all
}

// service is what is said to answer at a port.
func service(port int) string {
	switch port {
	case 0:
		return ""
	case 22:
		return "ssh"
	case 80, 3000, 8040, 8080, 8090, 8161:
		return "http"
	case 443, 8443:
		return "https"
	case 445:
		return "microsoft-ds"
	case 3306:
		return "mysql"
	case 5432:
		return "postgresql"
	case 6379:
		return "redis"
	case 8041:
		return "screenconnect"
	case 9401:
		return "veeam-backup"
	case 61616:
		return "activemq"
	}
	return "unknown"
}

// extraPorts reads what the estate lists as in "22/ssh 161/snmp".
func extraPorts(list string) (all []port) {
	for _, entry := range strings.Fields(list) {
		number, name, _ := strings.Cut(entry, "/")
		n, _ := strconv.Atoi(number)
		protocol := "tcp"
		if n == 161 {
			protocol = "udp"
		}
		all = append(all, port{n, protocol, name, exposure.Component{}})
	}
	return all
}

// installed is what somebody who may log in reads.
func installed(a *asset, p *product, x *weakness, version string) []exposure.Evidence {
	source := "package database, read over SSH as svc-scan"
	switch {
	case p.appliance():
		source = "version in the answer of port " + strconv.Itoa(p.port)
	case strings.HasPrefix(a.os, "Windows"):
		source = "registry and file versions, read over WinRM as HARBELMOOR\\svc-scan"
	case p.key == "kernel":
		source = "uname -r, and the kernel that would start next"
	}
	return []exposure.Evidence{{Kind: "output", Text: fmt.Sprintf("Product           : %s\nInstalled version : %s\nFixed version     : %s\nSource            : %s", p.name, version, x.fixed, source)}}
}

// answered is a harmless request and its answer. Sessions in it are invented,
// and there to be hidden.
func answered(a *asset, p *product, version string) []exposure.Evidence {
	get := func(path, more string) string {
		return "GET " + path + " HTTP/1.1\r\nHost: " + a.name + "\r\nUser-Agent: harbelmoor-exposure-team\r\n" + more
	}
	answer := func(header, body string) string {
		return "HTTP/1.1 200 OK\r\n" + header + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	d := cast("session", a.name, p.key)
	session := fmt.Sprintf("%08x%08x", d.below(1<<31), d.below(1<<31))
	var request, response, found string
	switch p.key {
	case "grafana":
		request, response, found = get("/api/health", ""), answer("Content-Type: application/json", `{"database":"ok","version":"`+version+`"}`), `"version":"`+version+`"`
	case "confluence":
		request, response, found = get("/login.action", ""), answer("Content-Type: text/html\r\nSet-Cookie: JSESSIONID="+session, `<meta name="ajs-version-number" content="`+version+`">`), version
	case "gitlab":
		request, response, found = get("/users/sign_in", ""), answer("Content-Type: text/html\r\nSet-Cookie: _gitlab_session="+session, "<title>Sign in · GitLab</title>"), "reset form accepts a list of addresses"
	case "jenkins":
		request, response, found = get("/login", ""), answer("X-Jenkins: "+version+"\r\nX-Jenkins-CLI-Port: 50000", "<title>Sign in [Jenkins]</title>"), "X-Jenkins: "+version
	case "tomcat":
		request, response, found = get("/", "Cookie: JSESSIONID="+strings.ToUpper(session)+"\r\n"), answer("Server: Apache-Coyote/1.1", "<title>Apache Tomcat/"+version+"</title>"), "Apache Tomcat/"+version
	case "nginx", "httpd", "httpd49", "php":
		request, response, found = get("/", ""), answer("Server: "+p.name+"/"+version, "<html>…</html>"), p.name+"/"+version
	case "activemq":
		return []exposure.Evidence{{Kind: "output", Text: "OpenWire greeting: ActiveMQ, ProviderVersion " + version + ", StackTraceEnabled true"}}
	default:
		request = get("/", "Authorization: Basic cHJvYmU6bm90LWEtcGFzc3dvcmQ=\r\n")
		response = answer("Server: "+strings.ReplaceAll(p.name, " ", "-"), "<title>"+p.name+"</title>\n<!-- build "+version+" -->")
		found = "build " + version
	}
	return []exposure.Evidence{{Kind: "request", Text: request}, {Kind: "response", Text: response}, {Kind: "match", Text: found}}
}

// layered tells in which layer of an image a package lies: that of the
// distribution, which images share, or that of the program.
func layered(a *asset, p *product) []exposure.Evidence {
	d := cast("layer", a.name)
	if manifest(p) == "" {
		d = cast("layer", a.os)
	}
	var digest [32]byte
	for i := range digest {
		digest[i] = byte(d.below(256))
	}
	return []exposure.Evidence{{Kind: "note", Text: "image layer sha256:" + hex.EncodeToString(digest[:])}}
}

// manifest is the file that asks for a package.
func manifest(p *product) string {
	kind, _, _ := strings.Cut(p.purl, "/")
	switch kind {
	case "npm":
		return "package-lock.json"
	case "pypi":
		return "requirements.txt"
	case "maven":
		return "pom.xml"
	case "golang":
		return "go.sum"
	}
	return ""
}
