# The dashboard: static files in build/webui/, which domusd serves. Node.js is needed to build it and nowhere else.
WEBUI_OUT     := $(BUILD)/webui
WEBUI_TYPES   := $(BUILD)/webui-gen/api.ts
# npm writes this file last: it is there when everything is installed
WEBUI_MODULES := webui/node_modules/.package-lock.json
WEBUI_SOURCES := $(shell find webui/src -type f) webui/tools/build.mjs webui/tsconfig.json

.PHONY: webui lint-webui format-webui test-browser-run
webui: $(WEBUI_OUT)/index.html ## build the dashboard

$(WEBUI_MODULES): webui/package.json webui/package-lock.json webui/.npmrc
	@packaging/install-packages build
	@echo "  NPM webui"; cd webui && npm ci --silent --no-progress && touch -c node_modules/.package-lock.json

$(WEBUI_TYPES): $(BUILD)/api/openapi.json webui/tools/api-types.mjs | $(WEBUI_MODULES)
	@echo "  TYPES $@"; node webui/tools/api-types.mjs $< $@

$(WEBUI_OUT)/index.html: $(WEBUI_SOURCES) $(WEBUI_TYPES) $(WEBUI_MODULES)
	@echo "  TSC webui"; cd webui && node node_modules/typescript/bin/tsc -p .
	@echo "  WEBUI $(WEBUI_OUT)"; node webui/tools/build.mjs $(abspath $(WEBUI_OUT))

lint-webui: $(WEBUI_TYPES) $(WEBUI_MODULES) # eslint, prettier and strict types; part of make lint
	@echo "  LINT webui"; node webui/node_modules/typescript/bin/tsc -p webui
	@node webui/node_modules/eslint/bin/eslint.js -c webui/eslint.config.mjs --max-warnings 0 webui tests/browser
	@node webui/node_modules/prettier/bin/prettier.cjs --config webui/.prettierrc.json --check --log-level warn webui tests/browser

format-webui: $(WEBUI_MODULES) ## lay out the dashboard's sources with prettier
	@node webui/node_modules/prettier/bin/prettier.cjs --config webui/.prettierrc.json --write --log-level warn webui tests/browser

test-browser-run: # the browser tests alone, when everything is built; ends with "# pass N" and "# fail N"
	@node --test $(sort $(wildcard tests/browser/*.test.mjs))
