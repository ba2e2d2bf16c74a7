# The description of the REST API, as JSON for domusd --openapi.
.PHONY: api
api: $(BUILD)/api/openapi.json

$(BUILD)/api/openapi.json: api/openapi.yaml api/to-json VERSION
	@packaging/install-packages build
	@mkdir -p $(@D)
	@echo "  API $@"; api/to-json $< $(VERSION) $@
