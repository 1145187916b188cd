package credentials

import "strings"

// common are passwords that are chosen most, and those that products are
// delivered with: our own list, the most likely first.
func common() []string {
	return strings.Fields(`
		123456 password 12345678 123456789 12345 1234 qwerty admin root toor
		changeme change-me welcome letmein secret test guest default user pass
		1234567 1234567890 111111 000000 123123 654321 abc123 qwerty123 password1 Password1
		passw0rd p@ssw0rd P@ssw0rd P@ssw0rd1 Passw0rd admin123 admin1234 root123 root1234 test123
		Welcome1 Welcome123 Changeme1 Changeme123 Summer2024 Winter2024 Summer2025 Winter2025 iloveyou monkey
		dragon sunshine princess football baseball master shadow superman michael trustno1
		qwertyuiop 1q2w3e4r 1qaz2wsx zaq12wsx asdfgh asdfghjkl zxcvbnm q1w2e3r4 666666 888888
		vagrant raspberry ubuntu debian kali alpine openwrt ubnt cisco mikrotik
		oracle postgres mysql redis tomcat s3cret jenkins grafana zabbix nagios
		minioadmin airflow artemis activemq rabbitmq elastic kibana nexus sonar bitnami
		administrator support service backup operator manager demo temp temp123 hello
		calvin ADMIN system public private access server linux docker hadoop`)
}
