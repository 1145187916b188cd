package demo

import (
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// asset is a thing the company has.
type asset struct {
	name  string
	kind  exposure.AssetKind
	ip    string
	os    string
	has   string // keys of products, separated by spaces
	ports string // open ports beside those of its products, as in "22/ssh"
}

const (
	domain   = ".harbelmoor.example"
	inside   = ".int.harbelmoor.example"
	registry = "registry.harbelmoor.example/"
	forge    = "git.harbelmoor.example/"
)

// estate is all assets, in the order in which they are reported.
func estate() []asset {
	var all []asset
	for _, a := range edge() {
		a.name += domain
		all = append(all, a)
	}
	for _, a := range internal() {
		a.name += inside
		all = append(all, a)
	}
	for _, a := range images() {
		a.name, a.kind = registry+a.name+":stable", exposure.AssetImage
		all = append(all, a)
	}
	for _, name := range repositories() {
		all = append(all, asset{name: forge + name, kind: exposure.AssetRepository})
	}
	for _, name := range []string{"shop", "pay", "account", "track", "blog"} {
		all = append(all, asset{name: "https://" + name + domain, kind: exposure.AssetWebApp})
	}
	return append(all,
		asset{name: "prod/pay/deployment/checkout", kind: exposure.AssetWorkload},
		asset{name: "prod/platform/daemonset/log-agent", kind: exposure.AssetWorkload},
		asset{name: "arn:aws:s3:::harbelmoor-exports", kind: exposure.AssetCloudResource},
		asset{name: "arn:aws:s3:::harbelmoor-parcel-labels", kind: exposure.AssetCloudResource},
	)
}

const (
	host  = exposure.AssetHost
	store = exposure.AssetDataStore
)

// edge is what the internet, or a partner, can reach.
func edge() []asset {
	return []asset{
		{"fw-edge-1", host, "198.51.100.2", "PAN-OS 10.2", "panos", ""},
		{"adc-1", host, "198.51.100.4", "NetScaler 13.1", "netscaler", "80/http"},
		{"vpn-partner", host, "198.51.100.6", "Ivanti Connect Secure 9.1", "ivanti", ""},
		{"fw-depot-1", host, "198.51.100.34", "FortiOS 7.2", "fortios", "541/fgfm"},
		{"rtr-depot-1", host, "198.51.100.33", "Cisco IOS XE 17.9", "iosxe", "22/ssh"},
		{"files", host, "198.51.100.10", "Windows Server 2019", "moveit winmember", "22/ssh"},
		{"mail", host, "198.51.100.11", "Windows Server 2019", "exchange winmember", "25/smtp 587/submission"},
		{"wiki", host, "198.51.100.12", "Ubuntu 22.04", "confluence openssh", "443/https"},
		{"support", host, "198.51.100.13", "Windows Server 2019", "screenconnect winmember", "8040/http"},
		{"git", host, "198.51.100.14", "Ubuntu 22.04", "gitlab openssh glibc", ""},
		{"www-1", host, "198.51.100.20", "Ubuntu 22.04", "nginx openssh openssl3 glibc kernel", "80/http"},
		{"www-2", host, "198.51.100.21", "Ubuntu 22.04", "nginx openssh openssl3 glibc kernel", "80/http"},
		{"api-gw-1", host, "198.51.100.22", "Debian 11", "nginx openssl11 openssh polkit", ""},
		{"track-1", host, "198.51.100.23", "Ubuntu 22.04", "tomcat httpd openssh glibc", "80/http"},
		{"sftp-1", host, "198.51.100.24", "Debian 12", "openssh openssl3 kernel", ""},
		{"blog-1", host, "198.51.100.25", "Windows Server 2019", "php winmember", "80/http 3389/ms-wbt-server"},
	}
}

// internal is what only the company's own network reaches.
func internal() []asset {
	return []asset{
		{"pay-app-1", host, "10.20.1.11", "Ubuntu 22.04", "kernel glibc openssh sudo", "8443/https"},
		{"pay-app-2", host, "10.20.1.12", "Ubuntu 22.04", "kernel glibc openssh sudo", "8443/https"},
		{"orders-1", host, "10.20.2.10", "Ubuntu 20.04", "struts openssl11 openssh polkit sudo", ""},
		{"mq-1", host, "10.20.2.20", "Debian 11", "activemq openssh kernel", "8161/http"},
		{"wms-1", host, "10.30.1.10", "Ubuntu 22.04", "tomcat openssh polkit kernel", ""},
		{"wms-2", host, "10.30.1.11", "Ubuntu 22.04", "tomcat openssh polkit kernel", ""},
		{"ci-1", host, "10.20.5.10", "Ubuntu 22.04", "jenkins openssh kernel glibc", "50000/jenkins"},
		{"vcenter-1", host, "10.20.6.10", "Photon OS 3", "vcenter", ""},
		{"esxi-1", host, "10.20.6.11", "VMware ESXi 8.0", "esxi", "902/vmware-auth"},
		{"esxi-2", host, "10.20.6.12", "VMware ESXi 8.0", "esxi", "902/vmware-auth"},
		{"backup-1", host, "10.20.6.20", "Windows Server 2019", "veeam winmember", "3389/ms-wbt-server"},
		{"dc-1", host, "10.40.0.10", "Windows Server 2019", "winserver", "88/kerberos 389/ldap"},
		{"dc-2", host, "10.40.0.11", "Windows Server 2019", "winserver", "88/kerberos 389/ldap"},
		{"print-1", host, "10.40.0.20", "Windows Server 2019", "winmember", "9100/jetdirect"},
		{"log-1", host, "10.20.5.20", "Debian 11", "grafana openssh sudo openssl11", ""},
		{"etl-1", host, "10.20.7.10", "Ubuntu 22.04", "kernel glibc openssh sudo19", ""},
		{"bi-1", host, "10.20.7.11", "Ubuntu 22.04", "tomcat kernel polkit openssh", ""},
		{"db-orders-1", store, "10.20.3.10", "Debian 12", "postgres openssh kernel", ""},
		{"db-pay-1", store, "10.20.3.11", "Ubuntu 22.04", "postgres openssh glibc", ""},
		{"db-dw-1", store, "10.20.3.12", "Ubuntu 22.04", "mysql openssh kernel", ""},
		{"cache-1", host, "10.20.3.20", "Debian 12", "redis openssh openssl3", ""},
		{"k8s-cp-1", host, "10.20.8.10", "Ubuntu 22.04", "kernel runc kubelet openssh", "6443/kube-apiserver 2379/etcd"},
		{"k8s-node-1", host, "10.20.8.11", "Ubuntu 22.04", "kernel runc kubelet glibc", "10250/kubelet"},
		{"k8s-node-2", host, "10.20.8.12", "Ubuntu 22.04", "kernel runc kubelet glibc", "10250/kubelet"},
		{"k8s-node-3", host, "10.20.8.13", "Ubuntu 22.04", "kernel runc kubelet glibc", "10250/kubelet"},
		{"ws-1041", host, "10.40.10.41", "Windows 10 21H2", "win10 outlook chrome winrar", ""},
		{"ws-1057", host, "10.40.10.57", "Windows 10 21H2", "win10 outlook chrome sevenzip", ""},
		{"ws-1063", host, "10.40.10.63", "Windows 10 21H2", "win10 outlook firefox winrar", ""},
		{"ws-dev-1", host, "10.40.20.11", "Debian sid", "xz sudo19 firefox", "22/ssh"},
		{"ws-dev-2", host, "10.40.20.12", "Ubuntu 22.04", "glibc chrome polkit", "22/ssh"},
		{"kiosk-depot-1", host, "10.30.10.21", "Windows 7 SP1", "win7", "3389/ms-wbt-server"},
		{"kiosk-depot-2", host, "10.30.10.22", "Windows 10 21H2", "win10 chrome", "3389/ms-wbt-server"},
		{"sw-core-1", host, "10.20.0.2", "switch firmware", "", "22/ssh 161/snmp"},
		{"sw-depot-1", host, "10.30.0.2", "switch firmware", "", "23/telnet 161/snmp"},
		{"lab-1", host, "10.66.0.10", "Debian 11", "httpd49 openssh", ""},
		{"lab-2", host, "10.66.0.11", "Ubuntu 20.04", "kernel sudo", "22/ssh"},
	}
}

// images are the container images that run in the cluster.
func images() []asset {
	const alpine, debian = "Alpine 3.17", "Debian 12"
	return []asset{
		{name: "shop/storefront", os: alpine, has: "next lodash axios qs semver toughcookie braces apkssl apkzlib"},
		{name: "shop/cart", os: alpine, has: "express lodash minimist jsonwebtoken pathtoregexp ws json5 apkcurl apkhttp2"},
		{name: "shop/search", os: "Debian 11", has: "jackson snakeyaml netty log4j gson debssl"},
		{name: "pay/checkout", os: debian, has: "springbeans springweb jackson snakeyaml log4j pgjdbc debc"},
		{name: "pay/gateway", os: "Debian 11", has: "log4j springsecurity commonstext netty gson debssl"},
		{name: "pay/fraud", os: debian, has: "requests urllib3 pillow pyyaml setuptools debc debcurl"},
		{name: "account/accounts", os: alpine, has: "django jinja2 certifi cryptography urllib3 moment apkexpat apkbusybox"},
		{name: "delivery/tracking", os: alpine, has: "stdlib xcrypto grpc goprotobuf gojwt apkbusybox"},
		{name: "delivery/route-planner", os: alpine, has: "flask werkzeug gunicorn aiohttp requests jinja2 apkxml2"},
		{name: "warehouse/wms-api", os: debian, has: "springfunction xstream h2 fileupload logback protobufjava log4j debc"},
		{name: "data/etl-worker", os: debian, has: "requests urllib3 cryptography pyyaml setuptools ejs followredirects apkgit debwebp"},
		{name: "platform/ingress-controller", os: alpine, has: "ingress stdlib apkssl apkcurl apkhttp2"},
	}
}

// repositories are what the company builds from, with teams as folders.
func repositories() []string {
	return []string{
		"shop/storefront", "shop/cart", "pay/checkout", "pay/fraud",
		"account/accounts", "delivery/tracking", "warehouse/wms-api",
	}
}

// ref names the asset as a report does.
func (a *asset) ref() exposure.AssetRef {
	r := exposure.AssetRef{Kind: a.kind, Name: a.name, OS: a.os}
	switch a.kind {
	case exposure.AssetImage:
		r.Add(exposure.IDImage, a.name)
	case exposure.AssetRepository:
		r.Add(exposure.IDRepository, a.name)
	case exposure.AssetWebApp:
		r.Add(exposure.IDURL, a.name)
	case exposure.AssetWorkload:
		r.Add(exposure.IDWorkload, a.name)
	case exposure.AssetCloudResource:
		r.Add(exposure.IDCloud, a.name)
	default:
		r.Add(exposure.IDHostname, a.name)
		r.Add(exposure.IDIP, a.ip)
	}
	return r
}

// machine reports whether the asset is scanned over the network.
func (a *asset) machine() bool { return a.kind == host || a.kind == store }

// exposed reports whether outsiders reach it.
func (a *asset) exposed() bool {
	return a.kind == exposure.AssetWebApp || strings.HasPrefix(a.ip, "198.51.100.")
}

// excluded reports whether the programme leaves the asset out.
func (a *asset) excluded() bool {
	return strings.HasPrefix(a.ip, "10.66.") || a.short() == "print-1"
}
