// SPDX-License-Identifier: Apache-2.0

/// What `mcp-proxy --help` says.
enum MCPProxyHelp {
    static let text = """
        usage: mcp-proxy [flags] [--] COMMAND [ARGUMENT ...]     serve a stdio server
               mcp-proxy [flags] --named-server NAME COMMAND ... serve several
               mcp-proxy [flags] URL                             a remote server on standard input and output

        servers
          -e, --env NAME VALUE           a variable for the default server; repeat it for several
          --cwd DIRECTORY                the working directory of the default server
          --[no-]pass-environment        give every server the whole environment (default: no)
          --named-server NAME COMMAND    a server under /servers/NAME/; the command is split as a shell does
          --named-server-config FILE     servers from a JSON file with mcpServers, instead of --named-server

        serving
          --port PORT                    where to listen; 0 takes a free port (default: 0)
          --host HOST                    the address to listen on (default: 127.0.0.1)
          --sse-port PORT, --sse-host HOST   older names of the two
          --[no-]stateless               Streamable HTTP without sessions (default: no)
          --allow-origin ORIGIN ...      origins whose pages may call; * is every one (default: none)
          --expose-header HEADER         a response header that such pages may read (default: Mcp-Session-Id)

        connecting to a URL
          -H, --headers NAME VALUE       a header of every request; repeat it for several
          --transport sse|streamablehttp (default: sse)
          --verify-ssl [VALUE]           true, false, or a PEM file; --no-verify-ssl is false
          API_ACCESS_TOKEN               a variable with the bearer token

        general
          --log-level LEVEL              DEBUG, INFO, WARNING, ERROR or CRITICAL (default: INFO)
          --[no-]debug                   the same as --log-level DEBUG
          --version, -h, --help
        """
}
