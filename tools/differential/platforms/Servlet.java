// A servlet on Tomcat, as Spring reads: parameters of query and form together, parts, cookies, the path without its
// parameters, the method that HiddenHttpMethodFilter takes from a form, and Jackson for JSON.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.servlet.MultipartConfigElement;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.Part;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.startup.Tomcat;

public class Servlet extends HttpServlet {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static List<String> scalar(JsonNode value) {
        return value.isTextual() || value.isNumber() ? List.of(value.asText()) : List.of();
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        boolean nested = request.getRequestURI().contains("/nested/");
        String path = request.getPathInfo() == null ? "" : request.getPathInfo();
        String[] names = nested ? new String[] {"comment[body]", "comment.body"} : new String[] {"content"};
        Map<String, List<String>> views = new LinkedHashMap<>();
        String type = request.getContentType() == null ? "" : request.getContentType().split(";")[0].trim().toLowerCase();
        if (type.endsWith("json")) {
            try {
                List<String> found = new ArrayList<>();
                JsonNode tree = JSON.readTree(request.getInputStream().readAllBytes());
                JsonNode text = nested ? tree.path("comment").path("body") : tree.path("content");
                if (text.isTextual()) found.add(text.textValue());
                views.put("json", found);
                if (path.contains("/who/")) views.put("@sender: json", scalar(tree.path("user")));
            } catch (IOException refused) { /* nothing is read */ }
        }
        if (type.startsWith("multipart/")) {
            try {
                List<String> found = new ArrayList<>();
                for (Part part : request.getParts()) {
                    for (String name : names) {
                        if (name.equals(part.getName()) && part.getSubmittedFileName() == null) {
                            found.add(new String(part.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
                        }
                    }
                }
                views.put("parts", found);
            } catch (Exception refused) { /* nothing is read */ }
        }
        try {
            List<String> found = new ArrayList<>();
            for (String name : names) {
                String[] values = request.getParameterValues(name);
                if (values != null) found.addAll(List.of(values));
            }
            views.put("parameters", found);
            if (path.contains("/who/") && request.getParameter("user") != null) views.put("@sender: parameters", List.of(request.getParameter("user")));
            String named = request.getParameter("_method");
            if (request.getMethod().equals("POST") && named != null && List.of("PUT", "DELETE", "PATCH").contains(named.toUpperCase(java.util.Locale.ENGLISH))) {
                views.put("@method: _method", List.of(named.toUpperCase(java.util.Locale.ENGLISH)));
            }
        } catch (RuntimeException refused) { /* nothing is read */ }
        java.util.regex.Matcher matched = java.util.regex.Pattern.compile("/api/(both|json|form|nested|cookie|who|number)/([^/]+)/comments/?").matcher(path);
        if (matched.matches()) {
            views.put("@room: path", List.of(matched.group(2)));
            if (matched.group(1).equals("number")) {
                try {
                    views.put("@room: parseInt", List.of(String.valueOf(Long.parseLong(matched.group(2)))));
                } catch (NumberFormatException refused) { /* no room */ }
            }
        }
        if (path.contains("/cookie/") && request.getCookies() != null) {
            List<String> found = new ArrayList<>();
            for (jakarta.servlet.http.Cookie cookie : request.getCookies()) {
                if (cookie.getName().equals("user")) found.add(cookie.getValue());
            }
            views.put("@sender: cookie", found);
        }
        byte[] told = JSON.writeValueAsBytes(views);
        response.setStatus(201);
        response.setContentType("application/json");
        response.setContentLength(told.length);
        response.getOutputStream().write(told);
    }

    public static void main(String[] arguments) throws Exception {
        java.util.logging.LogManager.getLogManager().reset();
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(arguments[1]);
        tomcat.setPort(Integer.parseInt(arguments[0]));
        tomcat.setHostname("127.0.0.1");
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        tomcat.getConnector().setURIEncoding("UTF-8");
        Context context = tomcat.addContext("", new File(arguments[1]).getAbsolutePath());
        context.setRequestCharacterEncoding("UTF-8");
        Wrapper wrapper = Tomcat.addServlet(context, "read", new Servlet());
        wrapper.setMultipartConfigElement(new MultipartConfigElement(arguments[1]));
        context.addServletMappingDecoded("/*", "read");
        tomcat.start();
        tomcat.getServer().await();
    }
}
