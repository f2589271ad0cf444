"""Middleware that remembers every request it saw."""


class AuditEntry:
    def __init__(self, request, response):
        self.path = request.path
        self.request = request
        self.status = response.status_code


class Audit:
    seen: list[AuditEntry] = []

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        self.seen.append(AuditEntry(request, response))
        return response
