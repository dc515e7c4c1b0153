# COMMAND ----------

print("the night is young")
