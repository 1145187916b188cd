package demo

// java are libraries of the Java services.
func java() []product {
	return []product{
		{"log4j", "maven/org.apache.logging.log4j/log4j-core", "org.apache.logging.log4j:log4j-core", "2.14.1", 0, []weakness{
			{"CVE-2021-44228", "2.15.0", critical, 502, "AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
				"Log4Shell: logged text is looked up with JNDI",
				"Text with a look-up that reaches the log makes the server load and run code from elsewhere."},
			{"CVE-2021-45046", "2.16.0", critical, 917, "AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H",
				"Incomplete fix of Log4Shell",
				"With some layouts, thread context values are still looked up."},
			{"CVE-2021-45105", "2.17.0", medium, 674, "AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Self-referencing look-ups never end",
				"A crafted context value makes the look-up call itself until the process dies."},
			{"CVE-2021-44832", "2.17.1", medium, 74, "AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:H",
				"JDBC appender loads from a JNDI address",
				"Whoever can change the configuration can run code."},
		}},
		{"springbeans", "maven/org.springframework/spring-beans", "org.springframework:spring-beans", "5.3.16", 0, []weakness{
			{"CVE-2022-22965", "5.3.18", critical, 94, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
				"Spring4Shell: data binding reaches the class loader",
				"Request parameters change properties of the class loader and write a script to disk."},
		}},
		{"springweb", "maven/org.springframework/spring-web", "org.springframework:spring-web", "5.3.16", 0, []weakness{
			{"CVE-2024-22243", "5.3.32", high, 601, "AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
				"Host of a parsed URL can differ from the one used",
				"Checks of the host can be passed with a crafted address, which ends in a redirect or request forgery."},
		}},
		{"springfunction", "maven/org.springframework.cloud/spring-cloud-function-context", "org.springframework.cloud:spring-cloud-function-context", "3.2.2", 0, []weakness{
			{"CVE-2022-22963", "3.2.3", critical, 917, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
				"Routing expression runs code",
				"A header is evaluated as an expression when functions are routed."},
		}},
		{"springsecurity", "maven/org.springframework.security/spring-security-web", "org.springframework.security:spring-security-web", "5.7.1", 0, []weakness{
			{"CVE-2022-31692", "5.7.5", critical, 863, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
				"Rules are skipped on forward and include",
				"Requests that are dispatched again do not pass the authorisation rules."},
		}},
		{"commonstext", "maven/org.apache.commons/commons-text", "org.apache.commons:commons-text", "1.9", 0, []weakness{
			{"CVE-2022-42889", "1.10.0", critical, 94, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
				"Text4Shell: interpolation runs scripts",
				"Default look-ups evaluate scripts and fetch addresses from the text they expand."},
		}},
		{"jackson", "maven/com.fasterxml.jackson.core/jackson-databind", "com.fasterxml.jackson.core:jackson-databind", "2.13.2", 0, []weakness{
			{"CVE-2020-36518", "2.13.2.1", high, 787, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Deeply nested objects exhaust the stack",
				"Nested input makes the untyped deserialiser call itself without limit."},
			{"CVE-2022-42004", "2.13.4", high, 502, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Nested arrays of beans exhaust resources",
				"A deserialiser of beans follows nested arrays without limit."},
			{"CVE-2022-42003", "2.13.4.2", high, 502, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Wrapped arrays exhaust resources",
				"Nested wrapper arrays are followed without limit when single values may be unwrapped."},
		}},
		{"snakeyaml", "maven/org.yaml/snakeyaml", "org.yaml:snakeyaml", "1.29", 0, []weakness{
			{"CVE-2022-25857", "1.31", high, 776, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Nesting depth is not limited",
				"A small document with many levels exhausts the process."},
			{"CVE-2022-38751", "1.31", medium, 787, "AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H",
				"Crafted text overflows the stack",
				"A regular expression recurses over a long text."},
			{"CVE-2022-1471", "2.0", high, 502, "AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:L",
				"Any class can be made from YAML",
				"The default constructor builds whatever type the document names."},
		}},
		{"netty", "maven/io.netty/netty-codec-http2", "io.netty:netty-codec-http2", "4.1.94.Final", 0, []weakness{
			{"CVE-2023-44487", "4.1.100.Final", high, 400, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"HTTP/2 rapid reset exhausts the server",
				"Streams that are opened and cancelled at once cost the server work and the sender nothing."},
		}},
		{"pgjdbc", "maven/org.postgresql/postgresql", "org.postgresql:postgresql", "42.5.0", 0, []weakness{
			{"CVE-2022-41946", "42.5.1", medium, 668, "AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N",
				"Temporary files are readable by all",
				"Large statement parameters are written to a file that other local users can read."},
			{"CVE-2024-1597", "42.5.5", critical, 89, "AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
				"SQL injection in simple query mode",
				"A negative number after a minus sign opens a comment and swallows the rest of the line."},
		}},
		{"h2", "maven/com.h2database/h2", "com.h2database:h2", "1.4.200", 0, []weakness{
			{"CVE-2021-42392", "2.0.206", critical, 502, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
				"Console loads classes over JNDI",
				"The console accepts a driver name that leads to code from elsewhere."},
			{"CVE-2022-23221", "2.1.210", critical, 88, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
				"Connection settings run scripts",
				"A connection string to the console can name a script to be run."},
		}},
		{"logback", "maven/ch.qos.logback/logback-classic", "ch.qos.logback:logback-classic", "1.2.11", 0, []weakness{
			{"CVE-2023-6378", "1.2.13", high, 502, "AV:L/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:H",
				"Receiver can be flooded with objects",
				"Poisoned data sent to a log receiver stops it."},
		}},
		{"fileupload", "maven/commons-fileupload/commons-fileupload", "commons-fileupload:commons-fileupload", "1.4", 0, []weakness{
			{"CVE-2023-24998", "1.5", high, 770, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Number of form parts is not limited",
				"One request with very many parts exhausts the server."},
		}},
		{"gson", "maven/com.google.code.gson/gson", "com.google.code.gson:gson", "2.8.6", 0, []weakness{
			{"CVE-2022-25647", "2.8.9", high, 502, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Unsafe writeReplace in internal classes",
				"Java deserialisation of internal types can stop the service."},
		}},
		{"protobufjava", "maven/com.google.protobuf/protobuf-java", "com.google.protobuf:protobuf-java", "3.19.2", 0, []weakness{
			{"CVE-2022-3171", "3.19.6", high, 20, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Repeated fields keep the collector busy",
				"Input that alternates between forms of a message makes garbage collection pause for long."},
			{"CVE-2024-7254", "3.25.5", high, 20, "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
				"Nested groups overflow the stack",
				"Unknown fields with deep nesting are parsed without limit."},
		}},
		{"xstream", "maven/com.thoughtworks.xstream/xstream", "com.thoughtworks.xstream:xstream", "1.4.17", 0, []weakness{
			{"CVE-2021-39144", "1.4.18", high, 306, "AV:N/AC:H/PR:L/UI:N/S:C/C:H/I:H/A:H",
				"Crafted stream runs commands",
				"Without an allow list, a document can name types that start processes."},
		}},
	}
}
