package credentials

import "strings"

// pair is an account and the password that its vendor has documented.
type pair struct {
	product  string
	protocol string // as in [protocol], or the name of a web product
	banner   string // part of what the service says of itself, in lower case; empty: any
	account  string
	password string
	source   string // where the vendor says so
	weak     bool   // it is a name, which no vendor needs to document
	lesser   bool   // the account may do little
}

// guessable is where it is said why a password must not be the account's name.
const guessable = "https://cwe.mitre.org/data/definitions/1391.html"

// defaults is our own compilation. It is short on purpose: what cannot be told
// apart by its banner and has several vendors is not guessed at.
func defaults() []pair {
	return []pair{
		{product: "Raspberry Pi OS", protocol: "ssh", banner: "raspbian", account: "pi", password: "raspberry", source: "https://www.raspberrypi.com/news/raspberry-pi-bullseye-update-april-2022/"},
		{product: "Kali Linux", protocol: "ssh", banner: "debian", account: "kali", password: "kali", source: "https://www.kali.org/docs/introduction/default-credentials/"},
		{product: "Vagrant", protocol: "ssh", banner: "openssh", account: "vagrant", password: "vagrant", source: "https://developer.hashicorp.com/vagrant/docs/boxes/base"},
		{product: "Vagrant", protocol: "ssh", banner: "openssh", account: "root", password: "vagrant", source: "https://developer.hashicorp.com/vagrant/docs/boxes/base"},
		{product: "UniFi", protocol: "ssh", banner: "openssh", account: "ubnt", password: "ubnt", source: "https://help.ui.com/hc/en-us/articles/204909374"},
		{product: "OpenWrt", protocol: "ssh", banner: "dropbear", account: "root", password: "", source: "https://openwrt.org/docs/guide-quick-start/walkthrough_login"},
		{product: "UniFi", protocol: "ssh", banner: "dropbear", account: "ubnt", password: "ubnt", source: "https://help.ui.com/hc/en-us/articles/204909374"},
		{product: "RouterOS", protocol: "ssh", banner: "rosssh", account: "admin", password: "", source: "https://help.mikrotik.com/docs/spaces/ROS/pages/328151/First+Time+Configuration"},
		{product: "Cisco small business switch", protocol: "ssh", banner: "cisco", account: "cisco", password: "cisco", source: "https://www.cisco.com/c/en/us/support/docs/smb/General/smb5671-configure-user-account-settings-on-a-switch.html"},

		{product: "OpenWrt", protocol: "telnet", banner: "openwrt", account: "root", password: "", source: "https://openwrt.org/docs/guide-quick-start/walkthrough_login"},
		{product: "RouterOS", protocol: "telnet", banner: "mikrotik", account: "admin", password: "", source: "https://help.mikrotik.com/docs/spaces/ROS/pages/328151/First+Time+Configuration"},
		{product: "Cisco small business switch", protocol: "telnet", banner: "cisco", account: "cisco", password: "cisco", source: "https://www.cisco.com/c/en/us/support/docs/smb/General/smb5671-configure-user-account-settings-on-a-switch.html"},
		{product: "Raspberry Pi OS", protocol: "telnet", banner: "raspbian", account: "pi", password: "raspberry", source: "https://www.raspberrypi.com/news/raspberry-pi-bullseye-update-april-2022/"},

		{product: "RouterOS", protocol: "ftp", banner: "mikrotik", account: "admin", password: "", source: "https://help.mikrotik.com/docs/spaces/ROS/pages/328151/First+Time+Configuration"},
		{product: "pyftpdlib", protocol: "ftp", banner: "pyftpdlib", account: "user", password: "12345", source: "https://pyftpdlib.readthedocs.io/en/latest/tutorial.html", lesser: true},

		{product: "MySQL", protocol: "mysql", account: "root", password: "", source: "https://dev.mysql.com/doc/refman/8.4/en/data-directory-initialization.html"},
		{product: "MySQL", protocol: "mysql", account: "root", password: "my-secret-pw", source: "https://hub.docker.com/_/mysql"},
		{product: "MySQL", protocol: "mysql", account: "root", password: "root", source: guessable, weak: true},

		{product: "PostgreSQL", protocol: "postgresql", account: "postgres", password: "postgres", source: guessable, weak: true},
		{product: "PostgreSQL", protocol: "postgresql", account: "postgres", password: "mysecretpassword", source: "https://hub.docker.com/_/postgres"},
		{product: "PostgreSQL", protocol: "postgresql", account: "postgres", password: "example", source: "https://hub.docker.com/_/postgres"},

		{product: "Redis", protocol: "redis", account: "default", password: "foobared", source: "https://raw.githubusercontent.com/redis/redis/6.0/redis.conf"},
		{product: "Redis", protocol: "redis", account: "default", password: "redis", source: guessable, weak: true},

		{product: "MongoDB", protocol: "mongodb", account: "root", password: "example", source: "https://hub.docker.com/_/mongo"},
		{product: "MongoDB", protocol: "mongodb", account: "mongoadmin", password: "secret", source: "https://hub.docker.com/_/mongo"},
		{product: "MongoDB", protocol: "mongodb", account: "admin", password: "admin", source: guessable, weak: true},

		{product: "RabbitMQ", protocol: "mqtt", account: "guest", password: "guest", source: "https://www.rabbitmq.com/docs/mqtt"},
		{product: "ActiveMQ Artemis", protocol: "mqtt", account: "artemis", password: "artemis", source: "https://artemis.apache.org/components/artemis/documentation/latest/docker.html"},
		{product: "ActiveMQ", protocol: "mqtt", account: "admin", password: "admin", source: "https://activemq.apache.org/components/classic/documentation/getting-started"},

		{product: "RabbitMQ", protocol: "amqp", account: "guest", password: "guest", source: "https://www.rabbitmq.com/docs/access-control"},
		{product: "Bitnami RabbitMQ", protocol: "amqp", account: "user", password: "bitnami", source: "https://github.com/bitnami/containers/tree/main/bitnami/rabbitmq"},

		{product: "docker-headless-vnc-container", protocol: "vnc", password: "vncpassword", source: "https://github.com/ConSol/docker-headless-vnc-container"},
		{product: "headless workbench", protocol: "vnc", password: "headless", source: "https://accetto.github.io/user-guide-g3/"},

		{product: "SNMP", protocol: "snmp", account: "read community", password: "public", source: "https://www.rfc-editor.org/rfc/rfc3512", lesser: true},
		{product: "SNMP", protocol: "snmp", account: "write community", password: "private", source: "https://www.rfc-editor.org/rfc/rfc3512"},

		{product: "Tomcat Manager", protocol: "tomcat", account: "tomcat", password: "s3cret", source: "https://tomcat.apache.org/tomcat-9.0-doc/manager-howto.html"},
		{product: "Tomcat Manager", protocol: "tomcat", account: "tomcat", password: "tomcat", source: "https://tomcat.apache.org/tomcat-6.0-doc/manager-howto.html"},
		{product: "Tomcat Manager", protocol: "tomcat", account: "admin", password: "", source: "https://tomcat.apache.org/tomcat-6.0-doc/manager-howto.html"},
		{product: "Grafana", protocol: "grafana", account: "admin", password: "admin", source: "https://grafana.com/docs/grafana/latest/setup-grafana/sign-in-to-grafana/"},
		{product: "RabbitMQ", protocol: "rabbitmq", account: "guest", password: "guest", source: "https://www.rabbitmq.com/docs/access-control"},
		{product: "Bitnami RabbitMQ", protocol: "rabbitmq", account: "user", password: "bitnami", source: "https://github.com/bitnami/containers/tree/main/bitnami/rabbitmq"},
		{product: "Bitnami Jenkins", protocol: "jenkins", account: "user", password: "bitnami", source: "https://github.com/bitnami/containers/tree/main/bitnami/jenkins"},
		{product: "Nexus Repository", protocol: "nexus", account: "admin", password: "admin123", source: "https://help.sonatype.com/en/system-configuration.html"},
		{product: "SonarQube", protocol: "sonarqube", account: "admin", password: "admin", source: "https://docs.sonarsource.com/sonarqube-server/2025.5/instance-administration/user-management/introduction"},
		{product: "Airflow", protocol: "airflow", account: "airflow", password: "airflow", source: "https://airflow.apache.org/docs/apache-airflow/stable/howto/docker-compose/index.html"},
		{product: "MinIO", protocol: "minio", account: "minioadmin", password: "minioadmin", source: "https://min.io/docs/minio/linux/administration/minio-console.html"},
		{product: "ActiveMQ", protocol: "activemq", account: "admin", password: "admin", source: "https://activemq.apache.org/components/classic/documentation/getting-started"},
		{product: "Zabbix", protocol: "zabbix", account: "Admin", password: "zabbix", source: "https://www.zabbix.com/documentation/current/en/manual/quickstart/login"},
		{product: "Elasticsearch", protocol: "elasticsearch", account: "elastic", password: "changeme", source: "https://www.elastic.co/guide/en/x-pack/5.6/setting-up-authentication.html"},

		{product: "NETGEAR router", protocol: "netgear", account: "admin", password: "password", source: "https://kb.netgear.com/1148/What-is-the-default-username-and-password-of-my-NETGEAR-device"},
		{product: "Axis camera", protocol: "axis", account: "root", password: "pass", source: "https://help.axis.com/en-us/access-your-device"},
		{product: "TP-Link router", protocol: "tplink", account: "admin", password: "admin", source: "https://www.tp-link.com/us/support/faq/87/"},
		{product: "Linksys router", protocol: "linksys", account: "admin", password: "admin", source: "https://support.linksys.com/kb/article/217-en/"},
	}
}

// defaultsOf are those of a protocol, or web product, with a banner.
func defaultsOf(protocol, banner string) []pair {
	banner = strings.ToLower(banner)
	var some []pair
	for _, p := range defaults() {
		if p.protocol == protocol && strings.Contains(banner, p.banner) {
			some = append(some, p)
		}
	}
	return some
}
